"use strict";
// Sorts a table by the column of the button that was pressed; numbers by value, what is no number last.
const number = (text) => {
  const found = text.replace(/^(?:above|below|open|< 1 point).*? (?=[+−]?\d)/, "").replace(/[,\s]/g, "").replace("−", "-").match(/^[<\[]?([+-]?(?:\d+\.?\d*|\.\d+))/);
  return found ? parseFloat(found[1]) : NaN;
};
const collator = new Intl.Collator("en", { numeric: true });
for (const button of document.querySelectorAll("table.sortable th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0];
    fold(table);
    const down = head.getAttribute("aria-sort") === "ascending";
    const column = Number(button.dataset.c), named = head.classList.contains("t");
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.classList.add("sorted");
    const keyed = Array.from(body.rows, (row) => [row, row.cells[column].textContent]);
    const sign = down ? -1 : 1;
    keyed.sort(([, a], [, b]) => {
      if (named) return sign * collator.compare(a, b);
      const x = number(a), y = number(b);
      if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
      return sign * (x - y);
    });
    body.append(...keyed.map(([row]) => row));
    document.getElementById("said").textContent =
      "Sorted by " + button.textContent + (down ? ", largest first" : ", smallest first");
  });
}
// What was opened below the rows of a table.
const fold = (table) => {
  for (const row of table.querySelectorAll("tr.more")) row.remove();
  for (const link of table.querySelectorAll("[aria-expanded]")) link.setAttribute("aria-expanded", "false");
};
const told = document.getElementById("said");
const made = (tag, text = "", attributes = {}) => {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const save = (name, kind, ...content) => {
  const link = made("a", "", { download: name });
  link.href = URL.createObjectURL(new Blob(content, { type: kind }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  told.textContent = `Saved ${name}`;
};
// A button beside each command that copies it.
const copied = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // a page of a file may not be let
    const field = made("textarea", text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  told.textContent = "Copied";
};
const copyable = (code) => {
  const button = made("button", "Copy", { type: "button", class: "copy", "aria-label": `Copy ${code.textContent}` });
  button.addEventListener("click", async () => {
    await copied(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  code.after(button);
};
for (const code of document.querySelectorAll("code.command")) copyable(code);
// Tools above a table: a filter of its rows, and its numbers as a file.
const FEW = 6;  // rows that need no filter
const csv = (table) => {
  const heads = [...table.querySelectorAll("thead button")].sort((a, b) => a.dataset.c - b.dataset.c);
  const groups = [...(table.tBodies[0].rows[0] || { cells: [] }).cells].map((cell) => cell.dataset.h);
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden && !row.matches(".more"));
  const lines = [heads.map((head, i) => groups[i] || head.textContent), ...rows.map((row) => [...row.cells].map((cell) => cell.textContent))];
  // A text that begins as a formula does is none in a spreadsheet.
  const plain = (text) => text.trim().replace(/^[=+@\t]/, (sign) => (/^[+]\d/.test(text) ? "" : `'${sign}`));
  return lines.map((line) => line.map((text) => `"${plain(text).replaceAll('"', '""')}"`).join(",")).join("\n") + "\n";
};
for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows], tools = made("div", "", { class: "tools" }), name = table.getAttribute("aria-label");
  if (rows.length > FEW) {
    const field = made("input", "", { type: "search", placeholder: "Filter rows", "aria-label": `Filter the rows of ${name}` });
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      fold(table);
      for (const row of rows) row.classList.toggle("unlike", !words.every((word) => row.textContent.toLowerCase().includes(word)));
      told.textContent = `${rows.filter((row) => !row.matches(".unlike")).length} of ${rows.length} rows`;
    });
    tools.append(field);
  }
  const button = made("button", "CSV", { type: "button", "aria-label": `Save ${name} as CSV` });
  button.addEventListener("click", () => save(`${name.split(/[,;:(]/)[0].trim().toLowerCase().replaceAll(" ", "-")}.csv`, "text/csv", csv(table)));
  tools.append(button);
  table.parentElement.before(tools);
}
// Where a table hides columns beside those that stay.
const hides = (scroll) => {
  const after = scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft;
  scroll.classList.toggle("hides-left", scroll.scrollLeft > 1);
  scroll.classList.toggle("hides-right", after > 1);
};
const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => hides(target.closest(".scroll"))));
for (const table of document.querySelectorAll(".scroll > .sortable")) {
  resized.observe(table);
  resized.observe(table.parentElement);
  table.parentElement.addEventListener("scroll", () => hides(table.parentElement), { passive: true });
}
// All numbers of the report, which lie packed in the page.
const unpacked = async (text) => {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
};
const lead = document.querySelector(".lead"), packed = document.querySelectorAll("script.data");
if (lead && packed.length) {
  const tools = made("div", "Save all numbers: ", { class: "tools" });
  for (const { dataset: { name }, textContent } of packed) {
    const button = made("button", name, { type: "button" });
    button.addEventListener("click", async () => save(name, "text/plain", await unpacked(textContent)));
    tools.append(button);
  }
  lead.after(tools);
}
// A row opens its draws, with their records, and the command that runs them again.
for (const link of document.querySelectorAll("a[data-arm]")) {
  link.setAttribute("aria-expanded", "false");
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const key = link.dataset.arm, row = link.closest("tr");
    if (link.getAttribute("aria-expanded") === "true") {
      row.parentElement.querySelector(`[data-opened="${key}"]`)?.remove();
      link.setAttribute("aria-expanded", "false");
      return;
    }
    const draws = [...document.querySelectorAll(`tr[data-of="${key}"]`)], content = document.createDocumentFragment();
    const command = document.querySelector(`[data-arm-command="${key}"]`);
    if (command) {
      const line = made("p", "Run these draws again: "), code = made("code", command.textContent, { class: "command" });
      line.append(code);
      content.append(line);
      copyable(code);
    }
    if (draws.length) {
      const table = made("table", "", { "aria-label": `Draws of ${link.textContent.trim()}` }), head = table.createTHead();
      const heads = draws[0].closest("table").querySelectorAll("thead button");
      head.insertRow().append(...[...heads].map((button) => made("th", button.textContent, { scope: "col", class: button.parentElement.className })));
      table.createTBody().append(...draws.map((draw) => draw.cloneNode(true)));
      const scroll = made("div", "", { class: "scroll", role: "group", tabindex: 0, "aria-label": `Draws of ${link.textContent.trim()}` });
      scroll.append(table);
      content.append(scroll);
    }
    const opened = made("tr", "", { class: "more", "data-opened": key }), cell = made("td", "", { colspan: row.cells.length });
    cell.append(content);
    opened.append(cell);
    row.after(opened);
    link.setAttribute("aria-expanded", "true");
  });
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    link.click();
  });
}
// Tips: what a heading or a verdict means.
const tip = made("div", "", { id: "tip", role: "tooltip", hidden: "" });
document.body.append(tip);
const hint = (event) => {
  const about = event.target instanceof Element && event.target.closest("[data-tip]");
  tip.hidden = !about || !about.dataset.tip;
  for (const old of document.querySelectorAll("[aria-describedby=tip]")) old.removeAttribute("aria-describedby");
  if (tip.hidden) return;
  tip.textContent = about.dataset.tip;
  about.setAttribute("aria-describedby", "tip");
  const box = about.getBoundingClientRect(), below = box.bottom + 6 + tip.offsetHeight < innerHeight;
  tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${below ? box.bottom + 6 : Math.max(4, box.top - tip.offsetHeight - 6)}px`;
};
for (const kind of ["mouseover", "focusin", "click"]) addEventListener(kind, hint);
addEventListener("scroll", () => { tip.hidden = true; }, true);
addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
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
