// Charts: the pointer picks a column, whose numbers stand in the chart's own table. Moments are in the visitor's zone.
import { formatter, isDone, zone } from "./zone.js";

const day = { day: "2-digit", month: "short" };
const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const [inTable, inDay, inDays] = [{ ...day, ...time }, time, day].map((it) => formatter("en-GB", it));

function localise(figure) {
  const { from, step, short } = figure.dataset;
  const heads = figure.querySelectorAll(".asTable tbody td:first-child");
  const moment = (at) => (Number(from) + at * Number(step)) * 1000;
  heads.forEach((cell, at) => (cell.textContent = inTable.format(moment(at)).replace(",", "")));
  figure.querySelector(".asTable th").textContent = zone;
  const marks = figure.querySelectorAll(".x span");
  const form = short === undefined ? inDays : inDay;
  marks.forEach((mark, at) => {
    mark.textContent = form.format(moment(Math.round(((heads.length - 1) * at) / (marks.length - 1))));
  });
}

for (const figure of document.querySelectorAll("[data-chart]")) {
  if (!isDone) localise(figure);
  const svg = figure.querySelector(".chart svg");
  const cursor = svg.querySelector(".cursor");
  const title = figure.querySelector("h2");
  const name = title.textContent;
  const values = figure.querySelectorAll(".legend b");
  const rows = [...figure.querySelectorAll(".asTable tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  );
  const show = (row) => values.forEach((value, at) => (value.textContent = row[at + 1]));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const at = Math.min(rows.length - 1, Math.max(0, Math.floor(share * rows.length)));
    const x = ((at + 0.5) / rows.length) * svg.viewBox.baseVal.width;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.classList.add("on");
    title.textContent = `${name} at ${rows[at][0]}`;
    show(rows[at]);
  });
  svg.addEventListener("pointerleave", () => {
    cursor.classList.remove("on");
    title.textContent = name;
    show(rows.at(-1));
  });
}
