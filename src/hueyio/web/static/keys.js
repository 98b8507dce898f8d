// The keyboard, and the selection of rows. Keys can be switched off: somebody may dictate, or have keys of their own.
const $ = (query, root = document) => root.querySelector(query);
const table = $("[data-rows]");
const boxes = table ? [...table.querySelectorAll("tbody input[type=checkbox]")] : [];
const bulk = $(".bulk");
const dialog = $("#keys");
const places = { o: "overview", t: "tasks/ready", f: "failures", w: "workers", s: "schedules" };
// On a phone the tabs are wider than the page.
for (const tab of document.querySelectorAll(".rail nav [aria-current], .facet.on"))
  tab.scrollIntoView({ block: "nearest", inline: "nearest" });
let here = -1;
let last = -1;
let prefix = "";

function count() {
  const chosen = boxes.filter((box) => box.checked).length;
  for (const box of boxes) box.closest("tr").classList.toggle("on", box.checked);
  if (bulk) {
    bulk.hidden = !chosen;
    $("b", bulk).textContent = `${chosen} selected`;
  }
  const head = $("[data-all]");
  if (head) {
    head.checked = chosen > 0 && chosen === boxes.length;
    head.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

function select(at, isRange) {
  const on = !boxes[at].checked;
  const [from, to] = isRange && last >= 0 ? [Math.min(last, at), Math.max(last, at)] : [at, at];
  for (const box of boxes.slice(from, to + 1)) box.checked = on;
  last = at;
  count();
}

function go(to) {
  if (!boxes.length) return;
  boxes[here]?.closest("tr").classList.remove("at");
  here = Math.min(boxes.length - 1, Math.max(0, to));
  const row = boxes[here].closest("tr");
  row.classList.add("at");
  row.scrollIntoView({ block: "nearest" });
  $("a", row).focus({ preventScroll: true });
}

// In a list what is selected, or the row, never all of it; on a page about one task that one.
function press(verb) {
  const isChosen = boxes.some((box) => box.checked);
  if (boxes[here] && !isChosen) select(here, false);
  if (!table) $(`.head button[formaction$="act/${verb}"]`)?.click();
  else if (isChosen || boxes[here]) $(`.bulk button[formaction$="act/${verb}"]`)?.click();
}

const acts = {
  "/": () => ($(".filters input[type=search]") ?? $(".rail input[type=search]")).focus(),
  "?": () => dialog.showModal(),
  j: () => go(here + 1),
  k: () => go(here - 1),
  x: () => boxes[here] && select(here, false),
  X: () => boxes[here] && select(here, true),
  r: () => press("retry"),
  c: () => press("cancel"),
  n: () => $("#fresh:not([hidden]) a")?.click(),
  p: () => document.dispatchEvent(new Event("hueyio:hold")),
  Escape: () => {
    for (const box of boxes) box.checked = false;
    count();
  },
};

function isOff() {
  return localStorage.getItem("hueyio-keys") === "off";
}

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || isOff()) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]")) {
    if (event.key === "Escape" && !event.target.closest("dialog")) event.target.blur();
    return;
  }
  const place = prefix === "g" ? places[event.key] : undefined;
  prefix = event.key;
  if (place) location.href = `${document.body.dataset.queue}${place}`;
  else if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});

if (table) {
  const head = document.createElement("input");
  head.type = "checkbox";
  head.dataset.all = "";
  head.setAttribute("aria-label", "Select all rows of this page");
  head.addEventListener("change", () => {
    for (const box of boxes) box.checked = head.checked;
    count();
  });
  $("thead th", table).replaceChildren(head);
  boxes.forEach((box, at) => box.addEventListener("change", () => ((last = at), count())));
  count();
}

const help = $("#help");
if (help && dialog) {
  help.hidden = false;
  help.addEventListener("click", () => dialog.showModal());
  const box = $("input", dialog);
  box.checked = !isOff();
  box.addEventListener("change", () => localStorage.setItem("hueyio-keys", box.checked ? "on" : "off"));
}
