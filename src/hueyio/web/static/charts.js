// Charts: the pointer picks a column, whose numbers stand in the chart's own table.
for (const figure of document.querySelectorAll("[data-chart]")) {
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
