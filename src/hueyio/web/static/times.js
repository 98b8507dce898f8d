// Times as the visitor's clock shows them, and how long ago they are, kept up to date.
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

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const { node, at } of times) node.title = new Date(at).toLocaleString(undefined, { timeZoneName: "short" });
const place = document.querySelector("[data-zone]");
if (place && zone) place.textContent = `Times on hover in ${zone}`;
setInterval(tick, 1000);
