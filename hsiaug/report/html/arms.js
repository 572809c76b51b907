// Any two arms: their mean difference on every scene, paired by draw.
for (const root of document.querySelectorAll(".arms")) {
  const { names, scenes, halves, first } = JSON.parse(root.dataset.about);
  const [body] = root.querySelector("table").tBodies;
  const [[wayA, a], [wayB, b]] = ["Arm A", "Arm B"].map((side) => choice(side, names.map((name, place) => [place, name])));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const shown = (value) => value.toFixed(1).replace("-", "−");
  const row = ([scene, arms]) => {
    const other = arms[b.value] || [];
    const pairs = (arms[a.value] || []).map((x, i) => [x, other[i] ?? null]).filter((pair) => !pair.includes(null));
    const found = [scene, pairs.length, "–", "–", "–", "–"];
    if (pairs.length) {
      const gaps = pairs.map(([x, y]) => x - y), gap = mean(gaps);
      found.splice(2, 3, ...[mean(pairs.map(([x]) => x)), mean(pairs.map(([, y]) => y)), gap].map(shown));
      if (gap > 0) found[4] = `+${found[4]}`;
      if (pairs.length > 1) {
        const spread = Math.sqrt(mean(gaps.map((d) => (d - gap) ** 2)) * pairs.length / (pairs.length - 1));
        const half = spread * halves[pairs.length - 2];
        found[5] = `[${shown(gap - half)}, ${shown(gap + half)}]`;
      }
    }
    return element("tr", {}, ...found.map((text) => element("td", {}, String(text))));
  };
  const update = () => body.replaceChildren(...scenes.map(row));
  [a.value, b.value] = first;
  for (const side of [a, b]) side.addEventListener("change", update);
  root.querySelector(".fields").append(wayA, wayB);
  root.hidden = false;
  update();
}
