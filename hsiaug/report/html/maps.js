// The viewer of maps: two trials beside each other, on stages that zoom and move as one, read pixel by pixel with pointer,
// finger or keyboard.
const VIEWS = { predicted: "predicted classes", errors: "errors", ab: "A against B", true: "true classes", split: "split" };
const VERDICTS = {
  errors: [["right", "--right-map"], ["wrong", "--bad"]],
  ab: [["both right", "--right-map"], ["only A right", "--s6"], ["only B right", "--s1"], ["both wrong", "--s3"]],
};
const HINT = "Point at a pixel or tap it, or focus a map and use the arrow keys, with Shift ten pixels at a time. Zoom with "
  + "two fingers, + and −, or Ctrl and the wheel; drag to move.";

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
// A picture on a canvas, and its pixels.
const drawn = async (image) => {
  const copy = new Image();
  copy.src = image.getAttribute("src");
  await copy.decode();
  const canvas = element("canvas", { width: copy.naturalWidth, height: copy.naturalHeight });
  const context = canvas.getContext("2d");
  context.drawImage(copy, 0, 0);
  return [canvas, context.getImageData(0, 0, canvas.width, canvas.height)];
};
const pixels = async (image) => (await drawn(image))[1];
// The scene in grey, under which colours of classes stay those of the legend.
const grey = async (image) => {
  const [canvas, colours] = await drawn(image), { data } = colours;
  for (let i = 0; i < data.length; i += 4) {
    data.fill(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2], i, i + 3);
  }
  canvas.getContext("2d").putImageData(colours, 0, 0);
  return canvas;
};

class MapViewer {
  constructor(root) {
    this.root = root;
    this.about = JSON.parse(root.dataset.about);
    this.figures = [...root.querySelectorAll("figure.map")];
    this.read = new Map();
    this.greys = new Map();  // of each place
    this.at = null;
    this.kept = null;  // a view to show, in place of the whole scene
    this.build();
    // For who shows the page in a frame.
    root.viewer = this;
    root.dispatchEvent(new Event("built"));
  }
  of(kind, place = this.place.value) {
    return this.figures.filter((f) => f.dataset.kind === kind && f.dataset.place === place);
  }
  build() {
    const has = (kind) => this.figures.some((f) => f.dataset.kind === kind);
    const places = [...new Set(this.figures.map((f) => f.dataset.place))];
    const kinds = Object.entries(VIEWS).filter(([kind]) => kind !== "split" || has("split"));
    this.fields = {};
    for (const [name, label, options] of [
      ["show", "Show", kinds],
      ["a", "A", []],
      ["b", "B", []],
      ["place", "Place", places.map((p) => [p, this.about.places[p]])],
    ]) {
      [this.fields[name], this[name]] = choice(label, options);
      this[name].addEventListener("change", () => this.update());
    }
    this.alpha = element("input", { type: "range", min: 0, max: 100, value: has("colours") ? 75 : 100 });
    this.fields.alpha = element("label", {}, "Opacity ", this.alpha);
    this.alpha.addEventListener("input", () => this.sides[0].stage.draw());
    this.fields.place.hidden = places.length < 2;
    const zoom = [["+", 1.5], ["−", 1 / 1.5]].map(([text, by]) => {
      const button = element("button", { type: "button", "aria-label": by > 1 ? "Larger" : "Smaller" }, text);
      button.addEventListener("click", () => this.sides[0].stage.zoom(by));
      return button;
    });
    this.legend = element("p", { class: "legend" });
    this.said = element("p", { class: "said", "aria-live": "polite" }, HINT);
    this.sides = ["a", "b"].map((id) => this.side(id));
    this.sides[0].stage.link(this.sides[1].stage);
    this.root.prepend(element("div", { class: "fields" }, ...Object.values(this.fields), ...zoom),
      element("div", { class: "pair" }, ...this.sides.map(({ pane }) => pane)), this.said, this.legend);
    this.root.querySelector("details").open = false;
    this.offer();
    this.update();
  }
  side(id) {
    const canvas = element("canvas", { tabindex: 0, role: "img" });
    const frame = element("div", { class: "stage" }, canvas), name = element("p", { class: "caption" });
    const side = { id, canvas, frame, name, pane: element("div", {}, name, frame), picture: null };
    const say = ([row, column]) => this.say(Math.floor(column), Math.floor(row));
    side.stage = new Stage(frame, {
      paint: (ink) => {
        side.stage.layer(ink, this.photo);
        ink.globalAlpha = this.photo ? this.alpha.value / 100 : 1;
        side.stage.layer(ink, side.picture);
        ink.globalAlpha = 1;
        if (this.at) side.stage.mark(ink, [this.at[1], this.at[0]]);
      },
      press: say,
      hover: say,
      wheel: (event) => event.ctrlKey || event.metaKey,
    });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [height, width] = this.shape, far = event.shiftKey ? 10 : 1;
      const [x, y] = this.at || [width >> 1, height >> 1];
      this.say(x + step[0] * far, y + step[1] * far);
      side.stage.reveal([this.at[1], this.at[0]]);
    });
    return side;
  }
  // Offers the trials that are drawn: first the best arm, and beside it the control that is hardest to beat.
  offer() {
    const named = new Map();
    for (const f of this.of("called")) named.set(f.dataset.cell, f.dataset.name);
    for (const id of ["a", "b"]) {
      this[id].replaceChildren(...[...named].map(([value, text]) => element("option", { value }, text)));
    }
    this.b.selectedIndex = Math.min(1, named.size - 1);
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
    const show = this.show.value, classes = ["", ...this.about.colours], both = show === "predicted" || show === "errors";
    this.fields.a.hidden = this.fields.b.hidden = show === "true" || show === "split";
    this.sides[1].pane.hidden = !both;
    const [truth] = this.of("true");
    const now = {
      true: await this.ids(truth, classes),
      split: await this.ids(this.of("split")[0], this.about.tints),
      a: await this.ids(this.chosen(this.a), classes),
      b: await this.ids(this.chosen(this.b), classes),
    };
    const image = truth.querySelector("img"), [photo] = this.of("colours");
    if (photo && !this.greys.has(photo)) this.greys.set(photo, await grey(photo.querySelector("img")));
    if (turn !== this.turn) return;  // something else was asked for meanwhile
    this.now = now;
    // Under two maps at once no photo lies: its greys would be taken for those of pixels on which both agree.
    this.photo = show === "ab" ? null : photo && this.greys.get(photo);
    this.fields.alpha.hidden = !this.photo;
    this.shape = [Number(image.getAttribute("height")), Number(image.getAttribute("width"))];
    const counts = this.sides.map((side) => this.paint(side, show));
    this.list(show, counts[0], both ? counts[1] : null);
    for (const { id, stage, frame, canvas, name } of this.sides) {
      const fresh = String(stage.shape) !== String(this.shape);
      frame.style.aspectRatio = `${this.shape[1]} / ${this.shape[0]}`;
      stage.shape = this.shape;
      name.textContent = both ? `${id.toUpperCase()}: ${this[id].selectedOptions[0]?.text || "no map"}` : VIEWS[show];
      canvas.setAttribute("aria-label", `Map ${both ? id.toUpperCase() : ""}, ${VIEWS[show]}. ${HINT}`);
      if (fresh) stage.fit();
      else stage.draw();
    }
    if (this.kept) {
      Object.assign(this.sides[0].stage.view, this.kept);
      this.kept = null;
      this.sides[0].stage.draw();
    }
    if (this.at) this.say(...this.at);
  }
  // Draws one side and counts its pixels of each kind.
  paint(side, show) {
    const { values, entries } = this.kinds(show, side.id);
    const rgb = entries.map(([, colour]) => colour), counts = entries.map(() => 0);
    side.picture = element("canvas", { width: this.shape[1], height: this.shape[0] });
    const context = side.picture.getContext("2d");
    const image = context.createImageData(this.shape[1], this.shape[0]);
    values.forEach((value, i) => {
      if (!value) return;
      counts[value] += 1;
      image.data.set([...rgb[value], 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
    return counts;
  }
  list(show, first, second) {
    const { entries } = this.kinds(show, "a");
    const sums = [first, second || []].map((counts) => counts.reduce((sum, n) => sum + n, 0));
    const shown = (n, of) => `${n.toLocaleString("en")} px, ${(100 * n / (sums[of] || 1)).toFixed(1)} %`;
    this.legend.replaceChildren(...entries.flatMap(([name, colour], i) => {
      if (!i || !(first[i] || (second && second[i]))) return [];
      const swatch = element("i");
      swatch.style.background = `rgb(${colour})`;
      return [element("span", {}, swatch, `${name} (${second ? `A ${shown(first[i], 0)}; B ${shown(second[i], 1)}` : shown(first[i], 0)})`)];
    }));
    if (!this.legend.children.length) this.legend.replaceChildren("There is no map of this trial on the page.");
  }
  // What each pixel is in the view, 0 for nothing, with names and colours by that number.
  kinds(show, id) {
    const { true: truth, split, a, b } = this.now, own = this.now[id];
    if (show === "true" || show === "predicted") {
      const entries = [["", [0, 0, 0]], ...this.about.classes.map((name, i) => [name, rgbOf(this.about.colours[i])])];
      return { values: (show === "true" ? truth : own) || [], entries };
    }
    if (show === "split") return { values: split, entries: this.about.roles.map((name, i) => [name, rgbOf(this.about.tints[i])]) };
    const entries = [["", [0, 0, 0]], ...VERDICTS[show].map(([name, colour]) => [name, colourOf(colour)])];
    if (!own || (show === "ab" && !(a && b))) return { values: [], entries };
    if (show === "errors") return { values: own.map((c, i) => (c ? (c === truth[i] ? 1 : 2) : 0)), entries };
    return { values: a.map((c, i) => (c && b[i] ? 1 + 2 * (c !== truth[i]) + (b[i] !== truth[i] ? 1 : 0) : 0)), entries };
  }
  say(x, y) {
    const [height, width] = this.shape, { step, classes, roles } = this.about;
    x = Math.min(Math.max(x, 0), width - 1);
    y = Math.min(Math.max(y, 0), height - 1);
    this.at = [x, y];
    const i = y * width + x, truth = this.now.true[i];
    const parts = [`row ${y * step}, column ${x * step}`, `true: ${truth ? classes[truth - 1] : "no label"}`];
    for (const side of this.fields.a.hidden ? [] : ["a", "b"]) {
      const called = this.now[side] && this.now[side][i];
      if (called) parts.push(`${side.toUpperCase()}: ${classes[called - 1]}${called === truth ? "" : " (wrong)"}`);
    }
    if (this.now.split && truth) parts.push(roles[this.now.split[i]]);
    this.said.textContent = parts.join(" · ");
    this.sides[0].stage.draw();
  }
}
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    new MapViewer(target);
  }
}, { rootMargin: "300px" });
for (const viewer of document.querySelectorAll(".viewer")) seen.observe(viewer);
