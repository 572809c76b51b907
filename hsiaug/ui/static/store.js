"use strict";
// The page of `hsiaug serve`: the report, loaded again when records change, and the maps of two trials side by side. Takes
// `element`, `pixels`, `VERDICTS` and `colourOf` from the report's own viewer, maps.js.
const $ = (id) => document.getElementById(id);
const say = (text, bad = false) => {
  $("said").textContent = text;
  $("said").className = bad ? "bad" : "";
};
const call = async (path) => {
  const answer = await fetch(path);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
};

// The report: what is unfolded, and how far it is scrolled, stays as it is.
const frame = $("report");
const reload = () => {
  const old = frame.contentDocument, top = frame.contentWindow.scrollY;
  const open = [...old.querySelectorAll("details")].map((part) => part.open);
  frame.addEventListener("load", () => {
    const parts = [...frame.contentDocument.querySelectorAll("details")];
    if (parts.length === open.length) parts.forEach((part, i) => { part.open = open[i]; });
    frame.contentWindow.scrollTo(0, top);
  }, { once: true });
  frame.contentWindow.location.reload();
};
let version = null;
const watch = async () => {
  let wait = 2000;
  try {
    const now = await call("version");
    say(`${now.records.toLocaleString("en")} records`);
    wait = Math.max(wait, 5000 * now.seconds);  // a page that takes long to make is made less often
    if (version !== now.version && !document.hidden) {
      if (version !== null) reload();
      version = now.version;
      await offer();
    }
  } catch (error) {
    say(`The server does not answer: ${error.message}`, true);
  }
  setTimeout(watch, wait);
};

// Two maps.
const sides = ["a", "b"].map((id) => ({ id, select: $(id), ids: null, image: null }));
let tables = [], ground = null, truth = null, photo = null, cursor = [0, 0];
const stages = sides.map((side) => new Stage($(`stage-${side.id}`), {
  paint(ink) {
    const stage = stages[sides.indexOf(side)];
    stage.layer(ink, photo);
    ink.globalAlpha = $("opacity").value / 100;
    stage.layer(ink, side.image);
    ink.globalAlpha = 1;
    if (ground) stage.mark(ink, cursor);
  },
  hover: (where) => tell(where.map(Math.floor)),
  press: (where) => tell(where.map(Math.floor)),
}));
stages[0].link(stages[1]);
const fill = (select, entries) => {
  const was = select.value;
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  if (entries.some(([value]) => String(value) === was)) select.value = was;
};
const offer = async () => {
  tables = await call("trials");
  fill($("table"), tables.map(({ title }, i) => [i, title]));
  await choose();
};
const choose = async () => {
  const trials = tables[$("table").value] ? tables[$("table").value].trials : [];
  for (const { select } of sides) fill(select, trials);
  if (trials.length > 1 && $("a").value === $("b").value) $("b").value = trials.find(([hash]) => hash !== $("a").value)[0];
  if (!$("maps").hidden) await show();
};
const picture = async (path) => {
  const image = new Image();
  image.src = path;
  await image.decode();
  return image;
};
const levels = async (path) => {
  const { data, width } = await pixels(await picture(path));
  return { width, values: Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]) };
};
const show = async () => {
  const [first] = sides.map(({ select }) => select.value);
  if (!first) return say("There is no trial with a map yet.");
  try {
    ground = await call(`ground/${first}`);
    fill($("place"), ground.places.map((name, i) => [i, name || "all"]));
    $("place").parentElement.hidden = ground.places.length < 2;
    const place = $("place").value;
    truth = await levels(`map/true/${first}/${place}`);
    photo = await picture(`map/colours/${first}/${place}`).catch(() => null);
    for (const side of sides) {
      side.ids = await levels(`map/called/${side.select.value}/${place}`);
      side.image = colour(side.ids);
    }
    const shape = ground.shapes[place], fresh = String(stages[0].shape) !== String(shape);
    for (const stage of stages) stage.shape = shape;
    if (fresh) {
      cursor = shape.map((length) => length >> 1);
      stages[0].fit();
    }
    stages[0].draw();
    tell(cursor);
  } catch (error) {
    ground = null;
    say(error.message, true);
  }
};
const colour = ({ values, width }) => {
  const errors = $("show").value === "errors", made = element("canvas", { width, height: values.length / width });
  const tints = errors ? VERDICTS.errors.map(([, name]) => colourOf(name)) : ground.colours;
  const image = made.getContext("2d").createImageData(made.width, made.height);
  values.forEach((id, i) => {
    if (id) image.data.set([...(errors ? tints[id === truth.values[i] ? 0 : 1] : tints[id - 1]), 255], 4 * i);
  });
  made.getContext("2d").putImageData(image, 0, 0);
  const entries = errors ? VERDICTS.errors.map(([name], i) => [name, tints[i]]) : ground.classes.map((name, i) => [name, tints[i]]);
  $("legend").replaceChildren(...entries.map(([name, rgb]) => {
    const swatch = element("i");
    swatch.style.background = `rgb(${rgb})`;
    return element("span", {}, swatch, name);
  }));
  return made;
};
const tell = ([row, column]) => {
  if (!ground) return;
  const [height, width] = stages[0].shape, step = Math.ceil(width / truth.width);
  cursor = [Math.min(Math.max(row, 0), height - 1), Math.min(Math.max(column, 0), width - 1)];
  const at = Math.floor(cursor[0] / step) * truth.width + Math.floor(cursor[1] / step);
  const name = (id) => (id ? ground.classes[id - 1] : "–");
  const called = sides.map(({ id, ids }) => `${id.toUpperCase()}: ${ids.values[at] ? name(ids.values[at]) : "not tested"}`);
  $("where").textContent = [`row ${cursor[0]}, column ${cursor[1]}`, `true: ${name(truth.values[at])}`, ...called].join(" · ");
  stages[0].draw();
};
const KEYS = { "+": () => stages[0].zoom(1.4), "=": () => stages[0].zoom(1.4), "-": () => stages[0].zoom(1 / 1.4), 0: () => stages[0].fit() };
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
for (const { root } of stages) root.addEventListener("keydown", (event) => {
  const { key, shiftKey } = event, far = shiftKey ? 10 : 1;
  if (!ground || event.ctrlKey || event.altKey || event.metaKey || !(ARROWS[key] || KEYS[key])) return;
  event.preventDefault();
  if (KEYS[key]) return KEYS[key]();
  tell(cursor.map((v, i) => v + far * ARROWS[key][i]));
  stages[0].reveal(cursor.map((v) => v + 0.5));
});
for (const [id, key] of [["in", "+"], ["out", "-"], ["fit", 0]]) $(id).addEventListener("click", KEYS[key]);
$("table").addEventListener("change", choose);
for (const id of ["a", "b", "place", "show"]) $(id).addEventListener("change", show);
$("opacity").addEventListener("input", () => stages[0].draw());
const turn = (maps) => {
  $("maps").hidden = !maps;
  frame.hidden = maps;
  $("tab-maps").setAttribute("aria-pressed", maps);
  $("tab-report").setAttribute("aria-pressed", !maps);
  if (maps) show();
};
$("tab-report").addEventListener("click", () => turn(false));
$("tab-maps").addEventListener("click", () => turn(true));
watch();
