// The browser of class spectra: one class at a time, mean ± std of each set, read band by band with pointer or keyboard.
const SVG = "http://www.w3.org/2000/svg";
const shape = (tag, attributes, ...children) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const SETS = ["train", "held-out", "synthetic"];
const BOX = { width: 720, height: 300, left: 52, right: 10, top: 10, bottom: 34 };
// Round numbers in equal steps between two values.
const between = (low, high, most) => {
  const rough = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
};
const rounded = (value) => Number(value.toPrecision(4)).toString();

class SpectraBrowser {
  constructor(root) {
    const { wavelengths, classes } = JSON.parse(root.dataset.spectra);
    this.classes = classes;
    const bands = Math.max(...Object.values(classes).flatMap((sets) => Object.values(sets).map((s) => s.mean.length)));
    this.x = wavelengths || Array.from({ length: bands }, (_, i) => i + 1);
    this.unit = wavelengths ? "nm" : "";
    const steps = this.x.slice(1).map((v, i) => v - this.x[i]).sort((a, b) => a - b);
    this.gap = 3 * (steps[steps.length >> 1] || 1);
    this.band = null;
    let label;
    [label, this.choice] = choice("Class", Object.keys(classes).map((name) => [name, name]));
    this.choice.addEventListener("change", () => this.draw());
    this.shown = Object.fromEntries(SETS.map((name) => [name, element("input", { type: "checkbox", checked: "" })]));
    const boxes = Object.entries(this.shown).map(([name, box]) => {
      box.addEventListener("change", () => this.draw());
      return element("label", {}, box, element("i", { class: "swatch", style: `background: var(--${name})` }), name);
    });
    this.svg = shape("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, tabindex: 0, role: "img" });
    this.said = element("p", { class: "said", "aria-live": "polite" });
    root.append(element("div", { class: "fields" }, label, ...boxes), this.svg, this.said);
    this.svg.addEventListener("pointermove", (event) => {
      const box = this.svg.getBoundingClientRect();
      this.say(this.nearest((event.clientX - box.left) / box.width * BOX.width));
    });
    this.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.say((this.band === null ? this.x.length >> 1 : this.band) + step * (event.shiftKey ? 10 : 1));
    });
    document.addEventListener("filtered", () => {
      if (filters.class in classes) this.choice.value = filters.class;
      this.draw();
    });
    this.draw();
  }
  sets() {
    return Object.entries(this.classes[this.choice.value]).filter(([name]) => !this.shown[name] || this.shown[name].checked);
  }
  nearest(at) {
    const places = this.x.map((v) => Math.abs(this.px(v) - at));
    return places.indexOf(Math.min(...places));
  }
  px(value) {
    const low = Math.min(...this.x), high = Math.max(...this.x);
    return BOX.left + (value - low) / (high - low || 1) * (BOX.width - BOX.left - BOX.right);
  }
  draw() {
    const sets = this.sets();
    const every = sets.flatMap(([, s]) => s.mean.flatMap((m, i) => [m - s.std[i], m + s.std[i]]));
    const low = Math.min(...every), high = Math.max(...every);
    const py = (value) => BOX.height - BOX.bottom - (value - low) / (high - low || 1) * (BOX.height - BOX.top - BOX.bottom);
    const parts = [];
    for (const value of every.length ? between(low, high, 5) : []) {
      const y = py(value).toFixed(1);
      parts.push(shape("line", { class: "grid", x1: BOX.left, x2: BOX.width - BOX.right, y1: y, y2: y }));
      parts.push(shape("text", { class: "tick", x: BOX.left - 5, y: Number(y) + 4, "text-anchor": "end" }, rounded(value)));
    }
    for (const value of between(Math.min(...this.x), Math.max(...this.x), 6)) {
      parts.push(shape("text", { class: "tick", x: this.px(value), y: BOX.height - BOX.bottom + 15, "text-anchor": "middle" }, rounded(value)));
    }
    parts.push(shape("text", { class: "axis", x: BOX.width / 2, y: BOX.height - 3, "text-anchor": "middle" }, this.unit ? "wavelength (nm)" : "band"));
    for (const [name, { mean, std }] of sets) {
      for (const run of this.runs()) {
        const upper = run.map((i) => `${this.px(this.x[i]).toFixed(1)},${py(mean[i] + std[i]).toFixed(1)}`);
        const lower = run.map((i) => `${this.px(this.x[i]).toFixed(1)},${py(mean[i] - std[i]).toFixed(1)}`).reverse();
        parts.push(shape("polygon", { class: "spread", style: `fill: var(--${name})`, points: [...upper, ...lower].join(" ") }));
        const middle = run.map((i) => `${this.px(this.x[i]).toFixed(1)},${py(mean[i]).toFixed(1)}`);
        parts.push(shape("polyline", { class: name === "train" ? "line dashed" : "line", style: `stroke: var(--${name})`, points: middle.join(" ") }));
      }
    }
    this.cursor = shape("line", { class: "zero", y1: BOX.top, y2: BOX.height - BOX.bottom, visibility: "hidden" });
    this.svg.replaceChildren(...parts, this.cursor);
    this.svg.setAttribute("aria-label", `Mean ± std of the spectra of ${this.choice.value}. Arrow keys read them band by band.`);
    this.said.textContent = sets.map(([name, { n }]) => `${name} ${n.toLocaleString("en")} spectra`).join(" · ");
    if (this.band !== null) this.say(this.band);
  }
  // Bands without a gap between them: lines must not run across what water vapour took away.
  runs() {
    const found = [[]];
    this.x.forEach((value, i) => {
      const step = value - this.x[i - 1];
      if (i && (step > this.gap || step <= 0)) found.push([]);
      found[found.length - 1].push(i);
    });
    return found;
  }
  say(band) {
    this.band = Math.min(Math.max(band, 0), this.x.length - 1);
    const at = this.px(this.x[this.band]);
    this.cursor.setAttribute("x1", at);
    this.cursor.setAttribute("x2", at);
    this.cursor.setAttribute("visibility", "visible");
    const where = this.unit ? `${rounded(this.x[this.band])} nm (band ${this.band + 1})` : `band ${this.band + 1}`;
    const values = this.sets().map(([name, { mean, std }]) => `${name} ${rounded(mean[this.band])} ± ${rounded(std[this.band])}`);
    this.said.textContent = [where, ...values].join(" · ");
  }
}
for (const root of document.querySelectorAll(".spectra")) new SpectraBrowser(root);
