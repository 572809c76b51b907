"use strict";
// The page of `hsiaug serve`: the report, loaded again when records change, the rows of it that are asked for, and what runs.
const call = async (path) => {
  const answer = await fetch(path);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
};
const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

// What is looked at stands in the address, so that it survives a reload and can be kept as a bookmark:
// scene, generator and classifier of the rows, and of the maps what they show and which trials.
const FILTERS = ["scene", "generator", "classifier"], MAPS = ["show", "a", "b", "place"];
const asked = new URLSearchParams(location.search);
const remember = (name, value) => {
  if (value) asked.set(name, value);
  else asked.delete(name);
  history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname);
};

// The report in its frame. A row names its generator and classifier in the columns of these headings.
const frame = $("report");
const page = () => frame.contentDocument;
const COLUMNS = { generator: ["arm", "generator"], classifier: ["with", "classifier"] };
const GENERATOR = /^[^ @]+/;  // of an arm: "smote λ=1x3"
const rowsOf = (table) => {
  const at = Object.fromEntries(Object.entries(COLUMNS).map(([name, heads]) => [name,
    [...table.querySelectorAll("thead button")].filter((one) => heads.includes(one.textContent)).map((one) => Number(one.dataset.c))[0]]));
  if (at.generator === undefined && at.classifier === undefined) return [];
  return [...table.tBodies[0].rows].filter((row) => !row.matches(".more")).map((row) => {
    const text = (name) => (at[name] === undefined ? "" : row.cells[at[name]].textContent.trim());
    return { row, generator: (text("generator").match(GENERATOR) || [""])[0], classifier: text("classifier") };
  });
};
const sections = () => [...page().querySelectorAll("main > section")].filter((one) => one.id !== "answers")
  .map((section) => ({ section, scene: section.querySelector("h2").textContent }));
const offer = (name, values) => {
  const wanted = asked.get(name) || "";
  // What was asked for stays on offer, though no row of it may have come yet.
  const listed = [...new Set([...values, wanted])].filter(Boolean).sort();
  $(name).replaceChildren(element("option", { value: "" }, "all"), ...listed.map((value) => element("option", { value }, value)));
  $(name).value = wanted;
};
const filter = () => {
  const rows = [...page().querySelectorAll("table.sortable")].flatMap(rowsOf), parts = sections();
  for (const name of ["generator", "classifier"]) offer(name, rows.map((one) => one[name]));
  offer("scene", parts.map((one) => one.scene));
  const [scene, generator, classifier] = FILTERS.map((name) => $(name).value);
  for (const one of parts) one.section.hidden = Boolean(scene) && one.scene !== scene;
  let shown = 0;
  for (const { row, ...is } of rows) {
    row.hidden = Boolean((generator && is.generator && is.generator !== generator) || (classifier && is.classifier && is.classifier !== classifier));
    if (!row.hidden && !row.closest("section").hidden) shown += 1;
  }
  $("shown").textContent = scene || generator || classifier ? `${shown.toLocaleString("en")} of ${count(rows.length, "row")}; verdicts use all configurations` : "";
};
for (const name of FILTERS) {
  $(name).addEventListener("change", () => {
    remember(name, $(name).value);
    filter();
  });
}
$("all").addEventListener("click", () => {
  for (const name of FILTERS) remember(name, "");
  filter();
});

// Maps: a viewer is built when it comes into view, and says so.
const mapped = (viewer, old) => {
  const chosen = viewer.root.closest("section").id;
  for (const name of MAPS) {
    const key = `${chosen}-${name}`;
    const option = [...viewer[name].options].find((one) => one.text === asked.get(key));
    if (option) viewer[name].value = option.value;
    viewer[name].addEventListener("change", () => remember(key, viewer[name].selectedOptions[0].text));
  }
  if (old) {
    viewer.alpha.value = old.alpha;
    viewer.at = old.at;
    viewer.kept = old.view;
  }
  viewer.update();
};

// Loaded again: what is unfolded, sorted, scrolled and zoomed stays as it is.
const looked = () => ({
  top: frame.contentWindow.scrollY,
  open: [...page().querySelectorAll("details")].map((part) => part.open),
  sorted: [...page().querySelectorAll("table.sortable th[aria-sort]")].map((head) => ({
    section: head.closest("section").id, table: head.closest("table").getAttribute("aria-label"),
    column: head.querySelector("button").dataset.c, down: head.getAttribute("aria-sort") === "descending",
  })),
  maps: new Map([...page().querySelectorAll(".viewer")].filter((one) => one.viewer).map(({ viewer }) => [viewer.root.closest("section").id,
    { alpha: viewer.alpha.value, at: viewer.at, view: { ...viewer.sides[0].stage.view } }])),
});
let before = null;
const loaded = () => {
  const old = before;
  before = null;
  $("loading").hidden = true;
  for (const root of page().querySelectorAll(".viewer")) {
    const ready = () => mapped(root.viewer, old && old.maps.get(root.closest("section").id));
    if (root.viewer) ready();
    else root.addEventListener("built", ready, { once: true });
  }
  if (old) {
    const parts = [...page().querySelectorAll("details")];
    if (parts.length === old.open.length) parts.forEach((part, i) => { part.open = old.open[i]; });
    for (const { section, table, column, down } of old.sorted) {
      const head = [...page().querySelectorAll(`#${section} table.sortable`)].find((one) => one.getAttribute("aria-label") === table);
      const button = head && head.querySelector(`th button[data-c="${column}"]`);
      if (button) button.click();
      if (button && down) button.click();
    }
  }
  filter();
  if (old) frame.contentWindow.scrollTo(0, old.top);
};
frame.addEventListener("load", loaded);
const reload = () => {
  before = looked();
  $("loading").hidden = false;
  frame.contentWindow.location.reload();
};
if (page() && page().readyState === "complete" && page().querySelector("main")) loaded();

// What runs on the store now.
const tell = (runs) => {
  $("runs").hidden = !runs.length;
  $("runs").replaceChildren(...runs.map(({ done, total, failed, draws, left, now, quiet }) => {
    const words = [`${done.toLocaleString("en")} of ${count(total, "trial")}`, ...(draws ? [`${draws}: answers may change`] : []),
      ...(failed ? [`${failed} failed`] : []), ...(left ? [left] : []),
      ...(quiet > 30 ? [`no word for ${quiet < 120 ? `${quiet} s` : `${Math.round(quiet / 60)} min`}`] : [])].join(", ");
    return element("div", {}, element("progress", { max: total, value: done, "aria-label": words }), element("span", {}, ` ${words}`),
      element("small", {}, now.length ? ` now: ${now.join("; ")}` : ""));
  }));
};
let version = null;
const watch = async () => {
  let wait = 2000;
  try {
    const now = await call("version");
    say(count(now.records, "record"));
    tell(now.runs);
    wait = Math.max(wait, 5000 * now.seconds);  // a page that takes long to make is made less often
    if (version !== now.version && !document.hidden) {
      if (version !== null) reload();
      version = now.version;
    }
  } catch (error) {
    say(`The server does not answer: ${error.message}`, true);
  }
  setTimeout(watch, wait);
};
watch();
