"use strict";
// Sorts a table by the column of the button that was pressed; numbers by value, what is no number last.
const number = (text) => {
  const found = text.replace(/[,\s]/g, "").replace("−", "-").match(/^[<\[]?([+-]?(?:\d+\.?\d*|\.\d+))/);
  return found ? parseFloat(found[1]) : NaN;
};
const words = new Intl.Collator("en", { numeric: true });
for (const button of document.querySelectorAll("table.sortable th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0];
    const down = head.getAttribute("aria-sort") === "ascending";
    const column = Number(button.dataset.c), named = head.classList.contains("t");
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.classList.add("sorted");
    const keyed = Array.from(body.rows, (row) => [row, row.cells[column].textContent]);
    const sign = down ? -1 : 1;
    keyed.sort(([, a], [, b]) => {
      if (named) return sign * words.compare(a, b);
      const x = number(a), y = number(b);
      if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
      return sign * (x - y);
    });
    body.append(...keyed.map(([row]) => row));
    document.getElementById("said").textContent =
      "Sorted by " + button.textContent + (down ? ", largest first" : ", smallest first");
  });
}
// A link may lead into something that is folded.
const unfold = () => {
  const named = location.hash.slice(1);
  const target = named && document.getElementById(decodeURIComponent(named));
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
const contents = document.querySelector(".contents"), wide = matchMedia("(min-width: 70rem)");
const fit = () => { contents.open = wide.matches; };
wide.addEventListener("change", fit);
fit();
contents.addEventListener("click", (event) => {
  if (event.target.closest("a") && !wide.matches) contents.open = false;
});
