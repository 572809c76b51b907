"use strict";
// The page of `hsiaug label`. The server holds the answers; this page shows its state and sends what is clicked or typed.
const KEYS = "123456789cdefghijlqtvwxy";  // without the letters of commands
const NONE = -1, SKIP = -2;
const MOST_KEPT = 4;  // spectra beside that of the pixel
const CLOSE = 24;  // pixels across the view where it follows the picks
const stage = new Stage($("stage"), { paint, press, hover, stroke });
const pictures = {};  // by kind: an image, and of which version
let scene = null, state = null, means = {};
let target = null;  // { pick: i } | { pixel: [row, column] } | { polygon: [[row, column], …] } | { pixels: [[row, column], …] }
let cursor = [0, 0];  // the pixel that the spectrum is of
let corners = null;  // of a polygon that is being drawn
let strokes = null;  // of the brush, each a list of pixels
let follows = false;  // whether the view zooms to every pick
let spectrum = [];  // of the cursor's pixel
const kept = [];  // to compare: { row, column, values }

const call = async (path, body) => {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Start hsiaug label again: it continues after the last answer.");
  }
  const content = await answer.json().catch(() => ({ error: `${answer.status} ${answer.statusText}` }));
  if (!answer.ok) throw new Error(content.error);
  return content;
};
// One thing after the other, however fast the keys come.
let queue = Promise.resolve();
const then = (work) => {
  queue = queue.then(work).catch((error) => say(error.message, true));
  return queue;
};

// State of the server.
const take = async (fresh) => {
  const before = state;
  if (!before || before.version !== fresh.version) means = await call("means");
  state = fresh;
  const newPicks = !before || JSON.stringify(before.picks.map((p) => [p.row, p.column])) !== JSON.stringify(state.picks.map((p) => [p.row, p.column]));
  if (!before || before.version !== state.version) {
    load("labels", state.version);
    readSpectrum();
  }
  if (state.map && (!before || !before.map || before.map.number !== state.map.number)) {
    load("map", state.map.number);
    if (before) {
      $("over").value = "map";
      say(`The map is there, learnt from ${state.map.learnt.toLocaleString("en")} pixels.`);
    }
  }
  if (newPicks && state.doubt) load("doubt", state.version);
  if (newPicks && state.picks.length) {
    goTo(nextOpen(-1));
    if (before) say(`${state.picks.length} picks: what are they?`);
  }
  if (before && before.job.running && !state.job.running && state.job.error) say(state.job.error, true);
  show();
};
const refresh = async () => take(await call("state"));
const watch = () => {
  if (state.job.running) setTimeout(() => then(refresh).then(watch), 300);
};
const load = (kind, version = 0) => {
  const image = new Image();
  image.onload = () => {
    pictures[kind] = image;
    stage.draw();
  };
  image.src = `picture/${kind}?${version}`;
};

// What is answered.
const place = () => (target && target.pick !== undefined ? [state.picks[target.pick].row, state.picks[target.pick].column] : target && target.pixel);
const labelAt = ([row, column]) => {
  const found = state.points.find((p) => p[0] === row && p[1] === column);
  const pick = state.picks.find((p) => p.row === row && p.column === column);
  return pick ? pick.label : found ? found[2] : 0;
};
const named = (label) => (label > 0 ? state.classes[label - 1].name : { [NONE]: "none of these", [SKIP]: "skipped" }[label] || "no answer");
const spoken = (one) => (one.pick !== undefined ? `Pick ${one.pick + 1}` : one.polygon ? "The polygon"
  : one.pixels ? `${one.pixels.length.toLocaleString("en")} painted pixels` : `Row ${one.pixel[0]}, column ${one.pixel[1]}`);
const answer = (said, name = "") => then(async () => {
  if (corners) closePolygon();
  if (strokes && strokes.length) painted();
  if (!target) return say(strokes ? "Paint first." : "Choose a pick, or click on the scene first.", true);
  const where = target.polygon ? { polygon: target.polygon } : { pixels: target.pixels || [place()] };
  const was = target;
  await take(await call("answer", { ...where, said, name }));
  say(`${spoken(was)}: ${name || named(said === "none" ? NONE : SKIP)}.`);
  if (was.pick !== undefined) {
    const next = nextOpen(was.pick);
    if (next !== was.pick) goTo(next);
    if (!state.picks.some((p) => p.label === 0)) say("All picks are answered. Ask again (a), or map (m).");
  } else if (!was.pixel) target = null;
  if (strokes) strokes = [];
  show();
});
// Take the last answer back, or give it again; of what is being drawn, take the last part back.
const back = (what) => then(async () => {
  const parts = corners || strokes;
  if (what === "undo" && parts && parts.length) {
    parts.pop();
    say("Undone: the last part of the drawing.");
    if (strokes) painted();
    return show();
  }
  const fresh = await call(what, {});
  await take(fresh);
  if (!fresh.moved) return say(`There is nothing to ${what}.`);
  const [row, column] = fresh.moved;
  const pick = state.picks.findIndex((p) => p.row === row && p.column === column);
  say(`${what === "undo" ? "Undone" : "Done again"}: row ${row}, column ${column}.`);
  if (pick >= 0 && !parts) goTo(pick);
  show();
});
const begin = (what) => then(async () => {
  if (state.job.running) return say("Wait until the present work is done.", true);
  await take(await call(what, {}));
  watch();
});
// The next pick without an answer after number `from`, round and round; the same where there is none.
const nextOpen = (from) => {
  const count = state.picks.length;
  for (let i = 1; i <= count; i++) {
    const at = (from + i + count) % count;
    if (state.picks[at].label === 0) return at;
  }
  return Math.max(from, 0);
};
const goTo = (pick) => {
  if (!state.picks.length) return;
  target = { pick: (pick + state.picks.length) % state.picks.length };
  look(place());
  if (follows) stage.centre(cursor.map((v) => v + 0.5), Math.max(stage.view.scale, Math.min(...stage.size) / CLOSE));
};
const follow = () => {
  follows = !follows;
  $("follow").setAttribute("aria-pressed", follows);
  say(follows ? "The view zooms to every pick." : "The view stays, unless a pick is outside.");
  if (follows && target && target.pick !== undefined) goTo(target.pick);
};
const step = (by) => goTo(target && target.pick !== undefined ? target.pick + by : by > 0 ? nextOpen(-1) : state.picks.length - 1);
// Put the cursor on a pixel and bring it into view.
const look = ([row, column]) => {
  cursor = [Math.min(Math.max(row, 0), scene.shape[0] - 1), Math.min(Math.max(column, 0), scene.shape[1] - 1)];
  stage.reveal(cursor.map((v) => v + 0.5));
  readSpectrum();
};

// Words and buttons.
// What the classifiers of the committee call a pick.
const votes = (pick) => {
  const words = pick.votes.map(([c, n]) => [state.classes[c - 1].name, n]);
  if (words.length === 1) return `All ${scene.members} classifiers call it ${words[0][0]}.`;
  return `Of ${scene.members} classifiers ${words.map(([name, n]) => `${n} call it ${name}`).join(", ")}.`;
};
const show = () => {
  const open = state.picks.filter((p) => p.label === 0).length;
  const called = target && place() ? labelAt(place()) : 0;
  const asked = !target ? (strokes ? "Brush: paint, then give the class" : "Choose a pick or a pixel")
    : target.polygon ? "Polygon: what is it?"
      : `${spoken(target)}${target.pick !== undefined ? ` of ${state.picks.length}` : ""}: ${called ? named(called) : "what is it?"}`;
  // Only what changed is read out.
  if ($("target").textContent !== asked) $("target").textContent = asked;
  const pick = target && target.pick !== undefined ? state.picks[target.pick] : null;
  $("votes").textContent = !pick ? ""
    : pick.votes.length ? `${votes(pick)} It represents ${pick.pixels} pixels.`
      : `No committee yet: it needs labels of two classes. It represents ${pick.pixels} pixels.`;
  const buttons = state.classes.map(({ name, colour, pixels }, i) => {
    const swatch = element("i");
    swatch.style.background = colour;
    const label = element("span", {}, name, " ", element("small", {}, pixels.toLocaleString("en")));
    const button = element("button", { type: "button" }, swatch, label, ...(KEYS[i] ? [element("kbd", {}, KEYS[i])] : []));
    button.className = called === i + 1 ? "called" : "";
    button.addEventListener("click", () => answer("class", name));
    return button;
  });
  // A button keeps the focus when it is made anew.
  const focus = [...$("answers").children].indexOf(document.activeElement);
  $("answers").replaceChildren(...buttons);
  if (focus >= 0) buttons[focus].focus();
  $("previous").disabled = $("next").disabled = !state.picks.length;
  const drawn = corners || strokes;
  $("undo").disabled = !state.answers && !(drawn && drawn.length);
  $("redo").disabled = !state.undone;
  const { job } = state;
  $("ask").disabled = $("map").disabled = job.running;
  $("job").hidden = !job.running;
  $("job").querySelector("progress").value = job.total ? job.done / job.total : 0;
  $("job").querySelector("span").textContent = `${job.kind === "ask" ? "choosing the next picks" : "mapping"} ${job.note}`;
  $("over").querySelector("[value=map]").disabled = !state.map;
  $("over").querySelector("[value=doubt]").disabled = !state.doubt;
  if ($("over").selectedOptions[0].disabled) $("over").value = "labels";
  $("scale").hidden = $("over").value !== "doubt";
  const links = [...(state.map ? ["map.tif", "map.npy"] : []), "labels.tif", "labels.npy"];
  $("files").replaceChildren(`${state.answers.toLocaleString("en")} answers in ${scene.file}, ${open} of ${state.picks.length} picks open. `,
    ...links.map((file) => element("a", { href: `export/${file}`, download: file }, file)));
  stage.draw();
};

// The scene.
function paint(ink) {
  if (!state) return;
  stage.layer(ink, pictures.colours);
  ink.globalAlpha = $("opacity").value / 100;
  stage.layer(ink, pictures[$("over").value]);
  ink.globalAlpha = 1;
  for (const [row, column, label] of state.points) {
    dot(ink, [row + 0.5, column + 0.5], label > 0 ? state.classes[label - 1].colour : "#000", label > 0 ? "#fff" : "#ccc");
  }
  state.picks.forEach((pick, i) => ring(ink, pick, i));
  outline(ink);
  stage.mark(ink, cursor);
}
const dot = (ink, place, fill, line) => {
  ink.beginPath();
  ink.arc(...stage.at(place), 4, 0, 7);
  ink.fillStyle = fill;
  ink.fill();
  ink.lineWidth = 1.5;
  ink.strokeStyle = line;
  ink.stroke();
};
const ring = (ink, pick, i) => {
  const [x, y] = stage.at([pick.row + 0.5, pick.column + 0.5]), chosen = target && target.pick === i;
  if (pick.label === 0 || chosen) {
    for (const [width, colour] of [[5, "#000"], [2.5, chosen ? "#35d0ff" : "#ffd400"]]) {
      ink.beginPath();
      ink.arc(x, y, chosen ? 11 : 8, 0, 7);
      ink.lineWidth = width;
      ink.strokeStyle = colour;
      ink.stroke();
    }
  }
  ink.font = "bold 12px system-ui, sans-serif";
  ink.lineWidth = 3;
  ink.strokeStyle = "#000";
  ink.fillStyle = pick.label === 0 ? "#ffd400" : "#ddd";
  ink.strokeText(i + 1, x + 10, y - 8);
  ink.fillText(i + 1, x + 10, y - 8);
};
const outline = (ink) => {
  ink.fillStyle = "rgba(53, 208, 255, .6)";
  const side = stage.view.scale;
  for (const pixel of (target && target.pixels) || []) ink.fillRect(...stage.at(pixel), side, side);
  const points = corners || (target && target.polygon);
  if (!points) return;
  for (const [width, colour] of [[4, "#000"], [2, "#35d0ff"]]) {
    ink.beginPath();
    for (const point of points) ink.lineTo(...stage.at(point));
    if (!corners) ink.closePath();
    ink.lineWidth = width;
    ink.strokeStyle = colour;
    ink.stroke();
  }
  for (const point of points) dot(ink, point, "#35d0ff", "#000");
};

// Polygons.
const startPolygon = () => {
  endBrush();
  corners = [];
  target = null;
  $("polygon").setAttribute("aria-pressed", "true");
  stage.root.focus();
  say("Polygon: click its corners, or set them with Space; close it with a double click or Enter. Esc drops it.");
  show();
};
const endPolygon = () => {
  corners = null;
  $("polygon").setAttribute("aria-pressed", "false");
};
const closePolygon = () => {
  const points = corners;
  endPolygon();
  if (points.length < 3) {
    say("A polygon needs three corners.", true);
    return show();
  }
  target = { polygon: points };
  say(`A polygon of ${points.length} corners: give its class.`);
  show();
};
const addCorner = (point) => {
  const near = (other) => other && Math.hypot(...stage.at(point).map((v, i) => v - stage.at(other)[i])) < 7;
  if (corners.length > 2 && (near(corners[0]) || near(corners[corners.length - 1]))) return closePolygon();
  if (!near(corners[corners.length - 1])) corners.push(point);
  say(`${corners.length} corners.`);
  show();
};

// The brush: pixels whose centres lie within half its width of where it went.
const startBrush = () => {
  endPolygon();
  strokes = [];
  target = null;
  $("brush").setAttribute("aria-pressed", "true");
  $("wide").hidden = false;
  stage.root.focus();
  say("Brush: drag, click or press Space to paint, then give the class. Esc drops what is painted.");
  show();
};
const endBrush = () => {
  if (strokes && target && target.pixels) target = null;
  strokes = null;
  $("brush").setAttribute("aria-pressed", "false");
  $("wide").hidden = true;
};
// The pixels of all strokes, each once, are what is asked for.
const painted = () => {
  const pixels = new Map(strokes.flat().map((pixel) => [String(pixel), pixel]));
  target = pixels.size ? { pixels: [...pixels.values()] } : null;
};
function stroke(from, to, first) {
  if (!strokes || !state) return false;
  if (first || !strokes.length) strokes.push([]);
  const radius = Math.max(Number($("width").value) / 2, 0.5), pixels = strokes[strokes.length - 1];
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
  const [height, width] = scene.shape, seen = new Set(pixels.map(String));
  for (let i = 0; i <= steps; i++) {
    const [y, x] = from.map((start, axis) => start + (to[axis] - start) * i / steps);
    for (let row = Math.max(Math.floor(y - radius), 0); row <= Math.min(y + radius, height - 1); row++) {
      for (let column = Math.max(Math.floor(x - radius), 0); column <= Math.min(x + radius, width - 1); column++) {
        // The pixel under the pointer itself is painted by the finest brush too.
        const under = row === Math.floor(y) && column === Math.floor(x);
        const near = Math.hypot(row + 0.5 - y, column + 0.5 - x) < radius && radius > 0.5;
        if (!(under || near) || seen.has(`${row},${column}`)) continue;
        seen.add(`${row},${column}`);
        pixels.push([row, column]);
      }
    }
  }
  painted();
  show();
  return true;
}

// Spectra: one request at a time, of the latest pixel.
let reading = false, wanted = null;
const readSpectrum = async () => {
  wanted = [...cursor];
  stage.draw();
  if (reading) return;
  reading = true;
  try {
    while (wanted) {
      const [row, column] = wanted;
      wanted = null;
      const { spectrum: values, label, map, doubt } = await call(`pixel?row=${row}&column=${column}`);
      spectrum = values;
      const [[nearest, angle] = []] = Object.entries(means).map(([c, mean]) => [Number(c), angleOf(values, mean)])
        .sort((a, b) => a[1] - b[1]);
      $("where").textContent = [`row ${row}, column ${column}`, ...(label ? [`label: ${named(label)}`] : []),
        ...(map ? [`map: ${named(map)}`] : []), ...(doubt === null ? [] : [`committee disagrees ${Math.round(100 * doubt)} %`]),
        ...(nearest ? [`nearest mean: ${named(nearest)}, ${angle.toFixed(1)}°`] : [])].join(" · ");
      drawSpectra();
    }
  } catch (error) {
    say(error.message, true);
  }
  reading = false;
};
// The spectral angle between two spectra, in degrees (F. A. Kruse et al., 1993): light and shade do not change it.
const angleOf = (a, b) => {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return 180 / Math.PI * Math.acos(Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1)));
};
const keep = () => {
  if (!spectrum.length) return;
  if (kept.length >= MOST_KEPT) return say(`${MOST_KEPT} spectra are kept already: remove one first.`, true);
  kept.push({ row: cursor[0], column: cursor[1], values: spectrum });
  say(`Kept: row ${cursor[0]}, column ${cursor[1]}.`);
  drawSpectra();
};
const drawSpectra = () => {
  const values = spectrum, waves = scene.wavelengths || values.map((_, i) => i);
  const lines = Object.entries(means).map(([c, mean]) => [mean, state.classes[c - 1].colour, state.classes[c - 1].name]);
  const all = [values, ...lines.map(([mean]) => mean), ...kept.map((one) => one.values)].flat();
  const low = Math.min(...all), high = Math.max(...all), first = Math.min(...waves), last = Math.max(...waves);
  const x = (wave) => 8 + 384 * (wave - first) / (last - first || 1), y = (value) => 114 - 108 * (value - low) / (high - low || 1);
  const line = (spectrum, name) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    made.setAttribute("points", spectrum.map((value, i) => `${x(waves[i]).toFixed(1)},${y(value).toFixed(1)}`).join(" "));
    if (name) made.append(text("title", name));
    return made;
  };
  const text = (tag, content, at = {}) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(at)) made.setAttribute(name, value);
    made.textContent = content;
    return made;
  };
  const unit = scene.wavelengths ? " nm" : "";
  const drawn = lines.map(([mean, colour, name]) => {
    const made = line(mean, name);
    made.style.stroke = colour;
    return made;
  });
  const own = line(values);
  own.setAttribute("class", "pixel");
  const compared = kept.map(({ values: other }, i) => {
    const made = line(other, `kept ${i + 1}`);
    made.setAttribute("class", `kept k${i}`);
    return made;
  });
  $("kept").replaceChildren(...kept.map(({ row, column, values: other }, i) => {
    const label = labelAt([row, column]), remove = element("button", { type: "button", "aria-label": `Remove kept spectrum ${i + 1}` }, "×");
    remove.addEventListener("click", () => {
      kept.splice(i, 1);
      drawSpectra();
      $("keep").focus();
    });
    return element("li", {}, element("i", { class: `k${i}` }),
      element("span", {}, `${i + 1}: row ${row}, column ${column}${label > 0 ? `, ${named(label)}` : ""}; ${angleOf(values, other).toFixed(1)}° from the pixel `), remove);
  }));
  $("spectrum").replaceChildren(...drawn, ...compared, own,
    text("text", `${scene.wavelengths ? Math.round(first) : "band 0"}${unit}`, { x: 8, y: 126 }),
    text("text", `${scene.wavelengths ? Math.round(last) : `band ${last}`}${unit}`, { x: 392, y: 126, "text-anchor": "end" }));
};

// Pointers.
function hover(where) {
  const pixel = where.map(Math.floor);
  if (String(pixel) === String(cursor)) return;
  cursor = pixel;
  readSpectrum();
}
function press(where) {
  if (!state) return;
  if (corners) return addCorner(where);
  if (stroke(where, where, true)) return;
  const near = state.picks.map((pick, i) => {
    const [x, y] = stage.at([pick.row + 0.5, pick.column + 0.5]), [px, py] = stage.at(where);
    return [Math.hypot(x - px, y - py), i];
  }).sort((a, b) => a[0] - b[0])[0];
  if (near && near[0] < 14) goTo(near[1]);
  else {
    target = { pixel: where.map(Math.floor) };
    look(target.pixel);
  }
  show();
}

// Keys: those of classes and commands everywhere but where text is typed.
const COMMANDS = {
  n: () => answer("none"), s: () => answer("skip"), u: () => back("undo"), r: () => back("redo"), a: () => begin("ask"),
  m: () => begin("map"), k: keep, z: follow, p: () => (corners ? (endPolygon(), show()) : startPolygon()),
  b: () => (strokes ? (endBrush(), show()) : startBrush()), "+": () => stage.zoom(1.4), "=": () => stage.zoom(1.4), "-": () => stage.zoom(1 / 1.4), 0: () => stage.fit(),
};
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (event) => {
  const { target: on, key } = event;
  if (!state || event.altKey || event.metaKey || on.matches("input:not([type=range]), textarea")) return;
  const arrow = ARROWS[key], button = on.matches("button, a, summary");
  if (arrow && !on.matches("select, [type=range]")) {
    event.preventDefault();
    if (event.shiftKey) {
      const far = event.ctrlKey ? 10 : 1;
      look([cursor[0] + far * arrow[0], cursor[1] + far * arrow[1]]);
      if (!corners && !strokes) target = { pixel: cursor };
    } else if (!corners && !strokes) step(arrow[0] + arrow[1]);
    return show();
  }
  const history = event.ctrlKey && { z: "undo", Z: "redo", y: "redo" }[key];
  if (history) {
    event.preventDefault();
    return back(history);
  }
  if (event.ctrlKey || on.matches("select")) return;
  if (strokes && key === " " && !button) stroke(cursor.map((v) => v + 0.5), cursor.map((v) => v + 0.5), true);
  else if (corners && key === " " && !button) addCorner([cursor[0] + 0.5, cursor[1] + 0.5]);
  else if (corners && key === "Enter" && !button) closePolygon();
  else if (key === "Escape") {
    endPolygon();
    endBrush();
    if (target && target.polygon) target = null;
    show();
  } else if (COMMANDS[key]) COMMANDS[key]();
  else {
    const i = KEYS.indexOf(key);
    if (i < 0 || i >= state.classes.length) return;
    answer("class", state.classes[i].name);
  }
  event.preventDefault();
});

for (const [id, work] of Object.entries({
  in: COMMANDS["+"], out: COMMANDS["-"], fit: COMMANDS[0], follow, polygon: COMMANDS.p, brush: COMMANDS.b, keep, none: COMMANDS.n, skip: COMMANDS.s,
  undo: COMMANDS.u, redo: COMMANDS.r, ask: COMMANDS.a, map: COMMANDS.m, previous: () => (step(-1), show()), next: () => (step(1), show()),
})) $(id).addEventListener("click", work);
for (const id of ["over", "opacity"]) $(id).addEventListener("input", show);
$("more").addEventListener("submit", (event) => {
  event.preventDefault();
  then(async () => {
    await take(await call("class", { name: $("name").value }));
    $("name").value = "";
    stage.root.focus();
  });
});
then(async () => {
  scene = await call("scene");
  document.title = `${scene.name} · label`;
  $("title").textContent = `Label ${scene.name}`;
  load("colours");
  stage.shape = scene.shape;
  stage.fit();
  await refresh();
  if (state.job.error) say(state.job.error, true);
  else if (!state.picks.length) say("Choosing the first picks…");
  watch();
});
