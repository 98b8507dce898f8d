// Live: one stream of events a page, of what has changed. Numbers change in place. Rows are never inserted, removed or
// moved: new ones wait behind a banner. A hidden tab closes its stream, because browsers allow six to a host.
import { formatter } from "./zone.js";

const clock = formatter(undefined, { timeStyle: "medium" });
const main = document.querySelector("main[data-events]");
const lamp = document.querySelector("#live");
const hiddenFor = 30_000;
const lateAfter = 10_000;
let stream = null;
let heard = Date.now();
let held = false;
let closing = 0;

function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function showCounts(counts) {
  for (const [state, count] of Object.entries(counts))
    for (const node of document.querySelectorAll(`[data-count="${state}"]`)) put(node, count);
}

function showFigures(figures) {
  figures.forEach(([value, unit, note], at) => {
    const figure = document.querySelector(`[data-figure="${at}"]`);
    put(figure?.querySelector("[data-value]"), value);
    put(figure?.querySelector("small"), unit);
    put(figure?.querySelector(".note2"), note);
  });
}

function showNew(count) {
  const banner = document.querySelector("#fresh");
  if (!banner) return;
  banner.hidden = !count;
  put(banner.querySelector("b"), `${count} new`);
}

function showTask(task) {
  const here = document.querySelector("[data-state]");
  if (!here || !task) return;
  const changed = document.querySelector("#changed");
  changed.hidden = task.state === here.dataset.state;
  put(changed.querySelector("b"), task.state);
  const progress = document.querySelector("[data-progress]");
  if (!progress || task.fraction === null) return;
  progress.hidden = false;
  draw(progress, task.fraction, task.progress);
}

function draw(place, fraction, said) {
  put(place.querySelector("[data-said]"), said);
  place.querySelector("rect.v").setAttribute("width", `${Math.round(fraction * 100)}%`);
}

// A row whose task has ended stays where it is, and is dimmed.
function showRunning({ tasks, all }) {
  for (const cell of document.querySelectorAll("[data-run]")) {
    const row = cell.firstElementChild;
    const told = tasks[cell.dataset.run];
    if (told) {
      row.hidden = false;
      draw(row, ...told);
    } else if (told === undefined && all && !cell.classList.contains("over")) {
      cell.classList.add("over");
      cell.closest("tr").classList.add("dim");
      cell.append("no longer running");
      row.hidden = true;
    }
  }
}

function showJobs(jobs) {
  for (const [id, said, fraction, answer] of jobs) {
    const job = document.querySelector(`[data-job="${id}"]`);
    if (!job) continue;
    draw(job, answer ? 1 : fraction, answer || said);
    job.querySelector("button")?.toggleAttribute("hidden", Boolean(answer));
  }
}

function showPause(isPaused) {
  const pausing = document.querySelector("#pausing");
  if (pausing) pausing.hidden = isPaused === pausing.hasAttribute("data-paused");
}

function show(news) {
  if (news.counts) showCounts(news.counts);
  if ("paused" in news) showPause(news.paused);
  if (news.figures) showFigures(news.figures);
  if ("new" in news) showNew(news.new);
  if (news.task) showTask(news.task);
  if (news.running) showRunning(news.running);
  if (news.jobs) showJobs(news.jobs);
}

function light() {
  const isLate = !stream || Date.now() - heard > lateAfter;
  lamp.classList.toggle("off", held || isLate);
  const seen = clock.format(heard);
  put(lamp.querySelector("span"), held ? "Held" : isLate ? `Last seen ${seen}` : "Live");
  lamp.setAttribute("aria-pressed", String(held));
}

function open() {
  if (stream || held) return;
  stream = new EventSource(main.dataset.events);
  stream.addEventListener("open", () => (heard = Date.now()));
  stream.addEventListener("message", (event) => {
    heard = Date.now();
    show(JSON.parse(event.data));
    light();
  });
  // The browser opens it again by itself, but not after an answer that is none: then it is tried later.
  stream.addEventListener("error", () => {
    if (stream?.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(open, 1000 + Math.random() * 29_000);
  });
}

function close() {
  stream?.close();
  stream = null;
}

function hold() {
  held = !held;
  if (held) close();
  else open();
  light();
}

if (main && lamp) {
  lamp.hidden = false;
  lamp.addEventListener("click", hold);
  document.addEventListener("hueyio:hold", hold);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(closing);
    if (document.hidden) closing = setTimeout(close, hiddenFor);
    else open();
  });
  setInterval(light, 1000);
  open();
}
