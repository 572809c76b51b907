"use strict";
// A scene on a canvas that is zoomed by wheel, buttons or two fingers, and moved by dragging. Places are [row, column], and
// pixel [0, 0] spans 0 to 1. Linked stages of one size show the same part.
class Stage {
  // paint(ink): draws; press(place): a click or tap; hover(place): the pointer, with no button; wheel(event): whether it zooms;
  // stroke(from, to, first): whether a drag between two places draws, in place of moving the scene; first: it begins here.
  constructor(root, { paint, press = () => {}, hover = () => {}, wheel = () => true, stroke = () => false }) {
    Object.assign(this, { root, paint, press, hover, wheel, stroke, shape: null, asked: 0 });
    this.view = { scale: 1, x: 0, y: 0, whole: true };  // CSS pixels per pixel, and where the scene's corner lies
    this.linked = [this];
    this.canvas = root.querySelector("canvas");
    this.fingers = new Map();
    this.listen();
    new ResizeObserver(() => this.shape && (this.view.whole ? this.fit() : this.draw())).observe(root);
  }
  link(other) {
    other.view = this.view;
    this.linked = other.linked = [this, other];
  }
  get size() {
    return [this.root.clientWidth, this.root.clientHeight];
  }
  fit() {
    const [height, width] = this.shape, [w, h] = this.size;
    // A hidden stage has no size: its scale of 0 would hide the scene on the stages that share its view.
    if (!w || !h) return;
    const scale = Math.min(w / width, h / height);
    Object.assign(this.view, { scale, x: (w - scale * width) / 2, y: (h - scale * height) / 2, whole: true });
    this.draw();
  }
  zoom(by, x = this.size[0] / 2, y = this.size[1] / 2) {
    const { view } = this, scale = Math.min(Math.max(view.scale * by, 0.05), 60), share = scale / view.scale;
    Object.assign(view, { scale, x: x - (x - view.x) * share, y: y - (y - view.y) * share, whole: false });
    this.draw();
  }
  // Bring a place into view.
  reveal(place) {
    const [x, y] = this.at(place), [w, h] = this.size;
    if (x < 0 || x > w) this.view.x += w / 2 - x;
    if (y < 0 || y > h) this.view.y += h / 2 - y;
    this.draw();
  }
  // Put a place in the middle, at a scale.
  centre([row, column], scale) {
    const [w, h] = this.size;
    Object.assign(this.view, { scale, x: w / 2 - column * scale, y: h / 2 - row * scale, whole: false });
    this.draw();
  }
  at([row, column]) {
    return [this.view.x + column * this.view.scale, this.view.y + row * this.view.scale];
  }
  place([x, y]) {
    return [(y - this.view.y) / this.view.scale, (x - this.view.x) / this.view.scale];
  }
  holds([row, column]) {
    return this.shape && row >= 0 && column >= 0 && row < this.shape[0] && column < this.shape[1];
  }
  draw() {
    for (const one of this.linked) if (!one.asked) one.asked = requestAnimationFrame(() => one.show());
  }
  show() {
    this.asked = 0;
    if (!this.shape || !this.root.clientWidth) return;
    const dots = devicePixelRatio || 1, ink = this.canvas.getContext("2d");
    [this.canvas.width, this.canvas.height] = this.size.map((length) => length * dots);
    ink.scale(dots, dots);
    ink.imageSmoothingEnabled = false;
    this.paint(ink);
  }
  layer(ink, picture) {
    const [height, width] = this.shape, { scale, x, y } = this.view;
    if (picture) ink.drawImage(picture, x, y, width * scale, height * scale);
  }
  // A square round a pixel, seen on any ground.
  mark(ink, [row, column]) {
    const [x, y] = this.at([row, column]), side = Math.max(this.view.scale, 4);
    ink.lineWidth = 1;
    for (const [out, colour] of [[1.5, "#000"], [0.5, "#fff"]]) {
      ink.strokeStyle = colour;
      ink.strokeRect(x - out, y - out, side + 2 * out, side + 2 * out);
    }
  }
  listen() {
    const { root, fingers } = this;
    const where = (event) => {
      const box = root.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = () => {
      const [[ax, ay], [bx, by]] = fingers.values();
      return [Math.hypot(ax - bx, ay - by), (ax + bx) / 2, (ay + by) / 2];
    };
    let moved = false, pinched = false, pinch = [];
    root.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      root.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, where(event));
      if (fingers.size === 1) moved = pinched = false;
      else {
        pinched = true;
        pinch = spread();
      }
    });
    root.addEventListener("pointermove", (event) => {
      if (!this.shape) return;
      const now = where(event), before = fingers.get(event.pointerId);
      if (!before) {
        if (this.holds(this.place(now))) this.hover(this.place(now));
        return;
      }
      if (fingers.size === 1) {
        if (!moved && Math.hypot(now[0] - before[0], now[1] - before[1]) < 6) return;
        const first = !moved;
        moved = true;
        if (!pinched && !event.shiftKey && this.stroke(this.place(before), this.place(now), first)) {
          fingers.set(event.pointerId, now);
          return;
        }
        this.view.whole = false;
        this.view.x += now[0] - before[0];
        this.view.y += now[1] - before[1];
      }
      fingers.set(event.pointerId, now);
      if (fingers.size === 2) {
        moved = true;
        const [wide, x, y] = spread();
        this.view.x += x - pinch[1];
        this.view.y += y - pinch[2];
        this.zoom(wide / (pinch[0] || wide), x, y);
        pinch = [wide, x, y];
      }
      this.draw();
    });
    const lift = (event) => {
      const known = fingers.delete(event.pointerId);
      if (!known || event.type !== "pointerup" || moved || fingers.size) return;
      const place = this.place(where(event));
      if (this.holds(place)) this.press(place);
    };
    root.addEventListener("pointerup", lift);
    root.addEventListener("pointercancel", lift);
    root.addEventListener("wheel", (event) => {
      if (!this.wheel(event)) return;
      event.preventDefault();
      this.zoom(1.2 ** -Math.sign(event.deltaY), ...where(event));
    }, { passive: false });
  }
}
