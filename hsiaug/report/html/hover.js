{
  // One tip for the values of every mark: by pointer, by touch, and by keyboard, where the status line says it too.
  const MARKS = "[data-tip], table[data-tips] td:not(.r)", REACH = 24;
  const tip = document.createElement("div"), said = document.getElementById("said");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  let shown = null, armed = null;

  const heading = (table, place) => {
    const head = table.tHead.rows[0].cells[place], whole = head.querySelector("abbr");
    return whole ? whole.title : head.textContent;
  };
  const words = (mark) => {
    const cell = mark.closest("td"), of = mark.closest("[data-of]");
    if (!cell) return (of ? of.dataset.of + ", " : "") + mark.dataset.tip;
    const table = cell.closest("table"), joint = table.dataset.tips || ", ";
    const value = mark.dataset.tip || cell.textContent || "0";
    return cell.parentElement.cells[0].textContent + joint + heading(table, cell.cellIndex) + ": " + value;
  };
  const hide = () => {
    if (shown) shown.classList.remove("on");
    shown = null;
    tip.hidden = true;
  };
  const show = (mark, aloud) => {
    if (!mark || mark === shown) return;
    hide();
    shown = mark;
    mark.classList.add("on");
    tip.textContent = words(mark);
    if (aloud) said.textContent = tip.textContent;
    tip.hidden = false;
    tip.style.left = tip.style.top = "0";
    const box = mark.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, wide - tip.offsetWidth - 8));
    const above = box.top - tip.offsetHeight - 6, top = above > 0 ? above : box.bottom + 6;
    tip.style.left = left + scrollX + "px";
    tip.style.top = top + scrollY + "px";
  };
  const away = (mark, x, y) => {
    const box = mark.getBoundingClientRect();
    return Math.hypot(box.left + box.width / 2 - x, box.top + box.height / 2 - y);
  };
  const near = (event) => {
    const direct = event.target.closest(MARKS), chart = event.target.closest("svg.chart");
    if (direct || !chart) return direct;
    let best = null, least = REACH;
    for (const mark of chart.querySelectorAll("[data-tip]")) {
      const far = away(mark, event.clientX, event.clientY);
      if (far < least) [best, least] = [mark, far];
    }
    return best;
  };
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.target.closest(".tip")) return;
    const mark = near(event);
    if (mark) show(mark, false);
    else if (!shown || !shown.closest(":focus")) hide();
  });
  // A first touch shows the values, a second one follows the link.
  document.addEventListener("click", (event) => {
    if (event.pointerType !== "touch") return;
    const mark = near(event);
    if (mark && mark !== armed && event.target.closest("a")) event.preventDefault();
    armed = mark;
    if (mark) show(mark, true);
    else if (!event.target.closest(".tip")) hide();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("svg.chart:focus-visible")) show(event.target.querySelector("[data-tip]"), true);
    else if (event.target.matches(MARKS)) show(event.target, true);
  });
  document.addEventListener("focusout", hide);
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!(event.key in STEPS) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!event.target.matches("svg.chart")) return;
    event.preventDefault();
    const marks = [...event.target.querySelectorAll("[data-tip]")], from = marks.indexOf(shown);
    show(marks[Math.max(0, Math.min(from + STEPS[event.key], marks.length - 1))], true);
  });
  for (const chart of document.querySelectorAll("svg.chart:has([data-tip])")) {
    chart.tabIndex = 0;
    chart.setAttribute("role", "application");
    chart.setAttribute("aria-roledescription", "chart");
    chart.setAttribute("aria-description", "Arrow keys walk through its marks.");
  }
}
