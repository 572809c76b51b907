"use strict";
// The page of `hsiaug serve`: the report, loaded again when records change.
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
    }
  } catch (error) {
    say(`The server does not answer: ${error.message}`, true);
  }
  setTimeout(watch, wait);
};
watch();
