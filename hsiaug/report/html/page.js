"use strict";
const told = document.getElementById("said");
const made = (tag, text = "", attributes = {}) => {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
// Sorts a table by the column of the button that was pressed; numbers by value, what is no number last.
const number = (text) => {
  const found = text.replace(/[,\s]/g, "").replace("−", "-").match(/^[<\[]?([+-]?(?:\d+\.?\d*|\.\d+))/);
  return found ? parseFloat(found[1]) : NaN;
};
const collator = new Intl.Collator("en", { numeric: true });
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const numeric = [...body.rows].some((row) => !isNaN(number(row.cells[column].textContent)));
    const left = !numeric || [...body.rows].some((row) => row.cells[column].textContent.includes("["));
    for (const row of body.rows) {
      row.cells[column].dataset.h = head.textContent;  // on a phone a row is a card
      row.cells[column].classList.toggle("t", left);
    }
    head.classList.toggle("t", left);
    head.scope = "col";
    if (!head.textContent.trim()) return;  // nothing to name a button by
    const button = made("button", head.textContent, { type: "button", "data-c": column });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending", sign = down ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = Array.from(body.rows, (row) => [row, row.cells[column].textContent]);
      keyed.sort(([, a], [, b]) => {
        if (!numeric) return sign * collator.compare(a, b);
        const x = number(a), y = number(b);
        return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : sign * (x - y);
      });
      body.append(...keyed.map(([row]) => row));
      told.textContent = `Sorted by ${button.textContent}, ${down ? "largest" : "smallest"} first`;
    });
  });
}
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
// A filter of the rows of a long table.
const FEW = 24;  // rows that need no filter
for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length <= FEW) continue;
  const field = made("input", "", { type: "search", placeholder: "Filter rows", "aria-label": "Filter the rows" });
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.classList.toggle("unlike", !words.every((word) => row.textContent.toLowerCase().includes(word)));
    told.textContent = `${rows.filter((row) => !row.matches(".unlike")).length} of ${rows.length} rows`;
  });
  const tools = made("div", "", { class: "tools" });
  tools.append(field);
  table.parentElement.before(tools);
}
// All numbers of the report, which lie packed in the page.
const unpacked = async (text) => {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
};
const packed = document.querySelectorAll("script.data");
if (packed.length) {
  const tools = made("div", "Save all numbers: ", { class: "tools" });
  for (const { dataset: { name }, textContent } of packed) {
    const button = made("button", name, { type: "button" });
    button.addEventListener("click", async () => save(name, "text/plain", await unpacked(textContent)));
    tools.append(button);
  }
  document.querySelector("main").append(tools);
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
const contents = document.querySelector(".contents");
contents.addEventListener("click", (event) => {
  if (event.target.closest("a")) contents.open = false;
});
