// On paper nothing scrolls or unfolds: what is folded is opened but for lists of records, which are left out. A table wider than the paper is made smaller down to letters of 7 pt, then laid on its side, and where
// it is still too wide each row becomes a paragraph.
const NARROW = 660, WIDE = 1000, LETTERS = 0.8;  // CSS pixels across A4, and across it on its side; size of letters on paper
const LEAST = 0.82;  // of 8.6 pt
// Headings and sentences directly above an element, up to the beginning of its section: they lie on its sheet.
const above = (element) => {
  const before = element.previousElementSibling;
  if (before) return before.matches("summary, h2, h3, p, .tools, [hidden], .warning") ? [before, ...above(before)] : [];
  return element.parentElement.matches("main details") ? above(element.parentElement) : [];
};
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("paper");  // before tables are measured
  for (const part of document.querySelectorAll("main details:not([open])")) {
    if (part.id.endsWith("-records")) continue;
    part.open = true;
    part.dataset.folded = "";
  }
  const widths = Array.from(document.querySelectorAll(".scroll > table"), (table) => [table, LETTERS * table.scrollWidth]);
  for (const [table, width] of widths) {
    const wide = width * LEAST > NARROW, cards = width * LEAST > WIDE && table.matches(".sortable");
    if (wide && !cards) for (const one of [table.parentElement, ...above(table.parentElement)]) one.classList.add("wide");
    table.parentElement.classList.toggle("cards", cards);
    table.style.zoom = cards ? 1 : Math.max(LEAST, Math.min(1, (wide ? WIDE : NARROW) / Math.max(width, 1)));
  }
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("paper");
  for (const part of document.querySelectorAll("[data-folded]")) {
    part.open = false;
    delete part.dataset.folded;
  }
  for (const table of document.querySelectorAll(".scroll > table")) {
    table.style.zoom = "";
    table.parentElement.classList.remove("cards");
  }
  for (const part of document.querySelectorAll(".wide")) part.classList.remove("wide");
});
