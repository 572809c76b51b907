"use strict";
// What the pages of `hsiaug label` and `hsiaug serve` share.
const $ = (id) => document.getElementById(id);
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const say = (text, bad = false) => {
  $("said").textContent = text;
  $("said").className = bad ? "bad" : "";
};
