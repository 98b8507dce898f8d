// Times as the visitor's clock shows them, and how long ago they are, kept up to date.
import { formatter, isDone, zone } from "./zone.js";

const units = [[172800, 86400, "d"], [7200, 3600, "h"], [120, 60, "min"], [0, 1, "s"]];
// The pages were made by the storage's clock; the visitor's may differ.
const made = document.querySelector("main[data-now]");
const skew = made ? Date.parse(made.dataset.now) - Date.now() : 0;
const times = [...document.querySelectorAll("time[title]")].map((node) => ({
  node,
  at: Date.parse(node.dateTime),
  isPast: node.textContent.endsWith(" ago"),
  isAhead: node.textContent.startsWith("in "),
}));

function span(seconds) {
  const [, unit, name] = units.find(([least]) => seconds >= least);
  return `${Math.round(seconds / unit)} ${name}`;
}

function tick() {
  if (document.hidden) return;
  const now = Date.now() + skew;
  for (const { node, at, isPast, isAhead } of times) {
    const seconds = (now - at) / 1000;
    let said = span(Math.max(seconds, 0));
    if (isPast || isAhead) said = seconds < 0 ? `in ${span(-seconds)}` : `${said} ago`;
    if (node.textContent !== said) node.textContent = said;
  }
}

if (!isDone) {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const stamp = formatter("sv", parts);
  const whole = formatter("sv", { ...parts, timeZoneName: "short" });
  for (const { node, at } of times) node.title = whole.format(at);
  for (const node of document.querySelectorAll("time[data-stamp]"))
    node.textContent = stamp.format(Date.parse(node.dateTime));
  const place = document.querySelector("[data-zone]");
  if (place) place.textContent = `Times in ${zone}`;
}
setInterval(tick, 1000);

// An undo is offered for as long as somebody may notice a slip, and not taken away from under a hand.
const undo = document.querySelector("[data-undo]");
if (undo) setTimeout(() => (undo.hidden = !undo.matches(":hover, :focus-within")), 8000);

