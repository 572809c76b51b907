// Filters over the whole page. They hide what they leave out and change no number; they stand in the address after "?".
const facts = JSON.parse(document.getElementById("facts").textContent);
const filters = {};
const readFilters = () => {
  const asked = new URLSearchParams(location.hash.split("?")[1] || "");
  for (const { name, values } of facts.choices) {
    if (values.includes(asked.get(name))) filters[name] = asked.get(name);
    else delete filters[name];
  }
};

const tableHidden = ({ scene, protocol }) =>
  (filters.scene && filters.scene !== scene) || (filters.protocol && filters.protocol !== protocol);
// A control stays beside the generators that are measured against it.
const isHidden = (id) => {
  const cell = facts.cells[id];
  if (!cell) return false;
  return Boolean((filters.classifier && filters.classifier !== cell.classifier)
    || (filters.generator && !cell.control && filters.generator !== cell.generator));
};
const cellOf = (part) => {
  const link = part.querySelector('a[href^="#t"]');
  return link && facts.cells[link.hash.slice(1)] ? link.hash.slice(1) : null;
};
// What a table shows of which cell, read once.
const grids = Array.from(document.querySelectorAll("main table"), (table) => {
  const rows = Array.from(table.tBodies[0].rows, (row) => ({ row, ids: Array.from(row.cells, cellOf) }));
  const heads = [];
  for (const row of table.tHead ? table.tHead.rows : []) {
    for (const head of row.cells) {
      const button = head.querySelector("button");
      const leaf = button ? Number(button.dataset.c) : null;
      heads.push({ head, leaf, span: head.colSpan, group: head.classList.contains("group") });
    }
  }
  let at = 0;
  for (const entry of heads.filter((h) => h.head.parentElement.rowIndex === 0)) {
    entry.from = at;
    at += entry.span;
  }
  return { rows, heads };
});
const filterTable = ({ rows, heads }) => {
  const width = Math.max(0, ...rows.map(({ ids }) => ids.length));
  const gone = Array.from({ length: width }, (_, c) => {
    const found = rows.map(({ ids }) => ids[c]).filter(Boolean);
    const alike = new Set(found.map((id) => facts.cells[id].classifier)).size === 1;
    return alike && found.every(isHidden);
  });
  for (const { row, ids } of rows) {
    const found = ids.filter((id, c) => id && !gone[c]);
    const all = ids.filter(Boolean);
    row.hidden = Boolean(all.length && !found.some((id) => !isHidden(id)));
    ids.forEach((_, c) => { row.cells[c].hidden = gone[c]; });
  }
  for (const { head, leaf, span, group, from } of heads) {
    if (leaf !== null) head.hidden = Boolean(gone[leaf]);
    else if (group) {
      const left = gone.slice(from, from + span).filter((g) => !g).length;
      head.hidden = !left;
      head.colSpan = left || span;
    }
  }
};
const fade = (part, hide) => (part instanceof SVGElement ? part.classList.toggle("faded", hide) : (part.hidden = hide));
const applyFilters = () => {
  for (const [id, table] of Object.entries(facts.tables)) {
    const hide = Boolean(tableHidden(table)), anchor = `${id}-table`;
    document.getElementById(anchor).hidden = hide;
    for (const link of document.querySelectorAll(`nav a[href="#${anchor}"], .verdict h3 a[href="#${anchor}"]`)) {
      link.closest("li, .verdict").hidden = hide;
    }
  }
  grids.forEach(filterTable);
  for (const part of document.querySelectorAll("main [data-cell]:not(figure.map)")) fade(part, isHidden(part.dataset.cell));
  for (const part of document.querySelectorAll("main li")) if (cellOf(part)) part.hidden = isHidden(cellOf(part));
  for (const part of document.querySelectorAll("main details[id]")) part.hidden = isHidden(part.id);
  for (const part of document.querySelectorAll("main figure[data-classifier]")) {
    part.hidden = Boolean(filters.classifier) && part.dataset.classifier !== filters.classifier;
  }
  document.dispatchEvent(new Event("filtered"));
};

const address = () => {
  const anchor = location.hash.split("?")[0], words = new URLSearchParams(filters).toString();
  const wanted = (anchor || (words ? "#" : "")) + (words ? `?${words}` : "");
  if (wanted !== location.hash) history.replaceState(null, "", wanted || location.pathname + location.search);
};
const bar = document.createElement("details");
bar.className = "filters";
const heading = document.createElement("summary"), fields = document.createElement("div");
fields.className = "fields";
const everything = document.createElement("button");
everything.type = "button";
everything.textContent = "Show all";
const selects = facts.choices.map(({ name, values, shown }) => {
  const select = document.createElement("select"), label = document.createElement("label");
  select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
  select.setAttribute("aria-label", shown);
  label.append(`${shown} `, select);
  select.addEventListener("change", () => {
    if (select.value) filters[name] = select.value;
    else delete filters[name];
    filter();
  });
  fields.append(label);
  return [name, select];
});
everything.addEventListener("click", () => {
  for (const name of Object.keys(filters)) delete filters[name];
  filter();
});
const filter = () => {
  for (const [name, select] of selects) select.value = filters[name] || "";
  const set = Object.keys(filters).length;
  heading.textContent = set ? `Filters (${set})` : "Filters";
  everything.hidden = !set;
  address();
  applyFilters();
  document.getElementById("said").textContent = set ? `Filtered by ${Object.keys(filters).join(", ")}` : "Everything is shown";
};
if (selects.length) {
  fields.append(everything);
  bar.append(heading, fields);
  document.querySelector("nav").append(bar);
}
heading.textContent = "Filters";
readFilters();
if (Object.keys(filters).length) {
  bar.open = true;
  filter();
}
// A link to a part of the page keeps the filters; an address that names some sets them.
addEventListener("hashchange", () => {
  if (!location.hash.includes("?")) return address();
  readFilters();
  filter();
});
