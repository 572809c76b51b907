// On paper nothing scrolls or unfolds: what is folded is opened but for lists of records, which stay as their
// headings, and a table wider than the paper is made smaller, on a wide sheet where it would become unreadable.
const NARROW = 660, WIDE = 1480, LETTERS = 0.8;  // CSS pixels across A4, and across A3 on its side; size of letters on paper
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("main details:not([open])")) {
    if (part.id.endsWith("-records")) continue;
    part.open = true;
    part.dataset.folded = "";
  }
  const widths = Array.from(document.querySelectorAll(".scroll > table"), (table) => [table, LETTERS * table.scrollWidth]);
  for (const [table, width] of widths) {
    const wide = width > 2 * NARROW;
    table.parentElement.classList.toggle("wide", wide);
    table.style.zoom = Math.min(1, (wide ? WIDE : NARROW) / Math.max(width, 1));
  }
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("[data-folded]")) {
    part.open = false;
    delete part.dataset.folded;
  }
  for (const table of document.querySelectorAll(".scroll > table")) table.style.zoom = "";
});
