// The viewer of maps: one layer of classes over the colours of the scene, read pixel by pixel with pointer or keyboard.
const VIEWS = { predicted: "predicted classes", errors: "errors", ab: "A against B", true: "true classes", split: "split" };
const VERDICTS = {
  errors: [["right", "--right-map"], ["wrong", "--bad"]],
  ab: [["both right", "--both-map"], ["only A right", "--s6"], ["only B right", "--s1"], ["both wrong", "--neither-map"]],
};

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const choice = (label, options) => {
  const select = element("select", { "aria-label": label }, ...options.map(([value, text]) => element("option", { value }, text)));
  return [element("label", {}, label + " ", select), select];
};
const rgbOf = (code) => [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16));
// Of a custom property, which is #rrggbb.
const colourOf = (name) => rgbOf(getComputedStyle(document.documentElement).getPropertyValue(name).trim());
const pixels = async (image) => {
  const copy = new Image();
  copy.src = image.getAttribute("src");
  await copy.decode();
  const canvas = element("canvas", { width: copy.naturalWidth, height: copy.naturalHeight });
  const context = canvas.getContext("2d");
  context.drawImage(copy, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
};

class MapViewer {
  constructor(root) {
    this.root = root;
    this.about = JSON.parse(root.dataset.about);
    this.figures = [...root.querySelectorAll("figure.map")];
    this.read = new Map();
    this.at = null;
    this.build();
  }
  of(kind, place = this.place.value) {
    return this.figures.filter((f) => f.dataset.kind === kind && f.dataset.place === place);
  }
  build() {
    const kinds = Object.entries(VIEWS).filter(([kind]) => kind !== "split" || this.figures.some((f) => f.dataset.kind === kind));
    const places = [...new Set(this.figures.map((f) => f.dataset.place))];
    const fields = {};
    for (const [name, label, options] of [
      ["show", "Show", kinds],
      ["a", "A", []],
      ["b", "B", []],
      ["place", "Place", places.map((p) => [p, this.about.places[p]])],
    ]) {
      [fields[name], this[name]] = choice(label, options);
      this[name].addEventListener("change", () => this.update());
    }
    this.alpha = element("input", { type: "range", min: 0, max: 100, value: this.figures.some((f) => f.dataset.kind === "colours") ? 75 : 100 });
    fields.alpha = element("label", {}, "Opacity ", this.alpha);
    this.alpha.addEventListener("input", () => { this.layer.style.opacity = this.alpha.value / 100; });
    fields.place.hidden = places.length < 2;
    fields.alpha.hidden = !this.figures.some((f) => f.dataset.kind === "colours");
    this.fields = fields;
    this.ground = element("canvas", { "aria-hidden": "true" });
    this.layer = element("canvas", { tabindex: 0, role: "img" });
    this.cross = element("i", { class: "cross", hidden: "" });
    this.legend = element("p", { class: "legend" });
    this.said = element("p", { class: "said", "aria-live": "polite" }, HINT);
    const stack = element("div", { class: "stack" }, this.ground, this.layer, this.cross);
    this.root.prepend(element("div", { class: "fields" }, ...Object.values(fields)), stack, this.said, this.legend);
    this.root.querySelector("details").open = false;
    this.layer.style.opacity = this.alpha.value / 100;
    this.layer.addEventListener("pointermove", (event) => {
      const box = this.layer.getBoundingClientRect();
      this.say(Math.floor((event.clientX - box.left) / box.width * this.layer.width),
        Math.floor((event.clientY - box.top) / box.height * this.layer.height));
    });
    this.layer.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [x, y] = this.at || [this.layer.width >> 1, this.layer.height >> 1];
      const far = event.shiftKey ? 10 : 1;
      this.say(x + step[0] * far, y + step[1] * far);
    });
    this.refresh();
  }
  // Offers the trials that are drawn.
  refresh() {
    for (const [select, other] of [[this.a, 0], [this.b, 1]]) {
      const named = new Map();
      for (const f of this.of("called")) named.set(f.dataset.cell, f.dataset.name);
      select.replaceChildren(...[...named].map(([value, text]) => element("option", { value }, text)));
      const values = [...named.keys()];
      select.value = values[other ? 0 : values.length - 1] || "";
    }
    this.update();
  }
  async ids(figure, colours) {
    if (!figure) return null;
    if (!this.read.has(figure)) {
      const { data } = await pixels(figure.querySelector("img"));
      const known = new Map(colours.map((code, i) => [parseInt(code.slice(1), 16), i]));
      const found = new Uint8Array(data.length / 4);
      for (let i = 0; i < found.length; i++) {
        if (data[4 * i + 3]) found[i] = known.get(data[4 * i] << 16 | data[4 * i + 1] << 8 | data[4 * i + 2]);
      }
      this.read.set(figure, found);
    }
    return this.read.get(figure);
  }
  chosen(select) {
    return this.of("called").find((f) => f.dataset.cell === select.value);
  }
  async update() {
    const turn = this.turn = {};
    const show = this.show.value, classes = ["", ...this.about.colours];
    this.fields.a.hidden = show === "true" || show === "split";
    this.fields.b.hidden = show !== "ab";
    const [truth] = this.of("true");
    const now = {
      true: await this.ids(truth, classes),
      split: await this.ids(this.of("split")[0], this.about.tints),
      a: await this.ids(this.chosen(this.a), classes),
      b: await this.ids(this.chosen(this.b), classes),
    };
    const image = truth.querySelector("img"), [photo] = this.of("colours");
    if (photo && !this.read.has(photo)) this.read.set(photo, await pixels(photo.querySelector("img")));
    if (turn !== this.turn) return;  // something else was asked for meanwhile
    this.now = now;
    for (const canvas of [this.ground, this.layer]) {
      canvas.width = image.getAttribute("width");
      canvas.height = image.getAttribute("height");
    }
    if (photo) this.ground.getContext("2d").putImageData(this.read.get(photo), 0, 0);
    this.paint(show);
    this.layer.setAttribute("aria-label", `Map, ${VIEWS[show]}. ${HINT}`);
    if (this.at) this.say(...this.at);
  }
  paint(show) {
    const { values, entries } = this.kinds(show);
    const rgb = entries.map(([, colour]) => colour);
    const context = this.layer.getContext("2d");
    const image = context.createImageData(this.layer.width, this.layer.height);
    const counts = entries.map(() => 0);
    values.forEach((value, i) => {
      if (!value) return;
      counts[value] += 1;
      image.data.set([...rgb[value], 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
    this.legend.replaceChildren(...entries.flatMap(([name, colour], i) => {
      if (!i || !counts[i]) return [];
      const swatch = element("i");
      swatch.style.background = `rgb(${colour})`;
      return [element("span", {}, swatch, `${name} (${counts[i].toLocaleString("en")} px)`)];
    }));
    if (!values.some(Boolean)) this.legend.replaceChildren("There is no map of this trial on the page.");
  }
  // What each pixel is in the view, 0 for nothing, with names and colours by that number.
  kinds(show) {
    const { true: truth, split, a, b } = this.now;
    if (show === "true" || show === "predicted") {
      const entries = [["", [0, 0, 0]], ...this.about.classes.map((name, i) => [name, rgbOf(this.about.colours[i])])];
      return { values: (show === "true" ? truth : a) || [], entries };
    }
    if (show === "split") return { values: split, entries: this.about.roles.map((name, i) => [name, rgbOf(this.about.tints[i])]) };
    const entries = [["", [0, 0, 0]], ...VERDICTS[show].map(([name, colour]) => [name, colourOf(colour)])];
    if (!a || (show === "ab" && !b)) return { values: [], entries };
    if (show === "errors") return { values: a.map((c, i) => (c ? (c === truth[i] ? 1 : 2) : 0)), entries };
    return { values: a.map((c, i) => (c && b[i] ? 1 + 2 * (c !== truth[i]) + (b[i] !== truth[i] ? 1 : 0) : 0)), entries };
  }
  say(x, y) {
    const { width, height } = this.layer, { step, classes, roles } = this.about;
    x = Math.min(Math.max(x, 0), width - 1);
    y = Math.min(Math.max(y, 0), height - 1);
    this.at = [x, y];
    const i = y * width + x, truth = this.now.true[i];
    const parts = [`row ${y * step}, column ${x * step}`, `true: ${truth ? classes[truth - 1] : "no label"}`];
    const names = this.show.value === "ab" ? ["a", "b"] : this.fields.a.hidden ? [] : ["a"];
    for (const side of names) {
      const called = this.now[side] && this.now[side][i];
      if (called) parts.push(`${side.toUpperCase()}: ${classes[called - 1]}${called === truth ? "" : " (wrong)"}`);
    }
    if (this.now.split && truth) parts.push(roles[this.now.split[i]]);
    this.said.textContent = parts.join(" · ");
    this.cross.hidden = false;
    this.cross.style.left = `${(x + 0.5) / width * 100}%`;
    this.cross.style.top = `${(y + 0.5) / height * 100}%`;
  }
}
const HINT = "Point at a pixel, or focus the map and use the arrow keys, with Shift ten pixels at a time.";
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    new MapViewer(target);
  }
}, { rootMargin: "300px" });
for (const viewer of document.querySelectorAll(".viewer")) seen.observe(viewer);
