"""A real browser, and what it measures of a page."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

__all__ = ["AXE", "AXE_ALL", "CONTRAST", "NO_BROWSER", "Tab", "axe", "browser", "until"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""Programs that serve where playwright has no browser of its own."""
PATIENCE = 300_000
"""Milliseconds that a page may take for each thing that a test waits for."""
NO_BROWSER = "no Chromium that starts here"
"""What the reason of a skipped test begins with; the last line of a run counts them."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason=f"{NO_BROWSER}: playwright, which drives it, is not installed"
    )
    found = next(filter(None, map(shutil.which, NAMES)), None)
    # The browser's own sandbox refuses to run for root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        try:
            opened = driver.chromium.launch(executable_path=found, args=arguments, timeout=PATIENCE)
        except playwright.Error as error:
            pytest.skip(f"{NO_BROWSER}: {str(error).splitlines()[0]}")
        yield Browser(opened)
        opened.close()


@dataclass(frozen=True)
class Browser:
    """A browser whose pages wait for as long as a busy machine takes."""

    opened: Any

    def new_context(self, **options: Any) -> Any:
        context = self.opened.new_context(**options)
        context.set_default_timeout(PATIENCE)
        return context

    @cached_property
    def _context(self) -> Any:
        """What all pages share, as a context for each of them takes as long as to load it; its
        first page stays empty, so that it is never without one.
        """
        context = self.new_context()
        context.new_page()
        return context

    def new_page(self, width: int, height: int = 800, scheme: str = "light") -> Any:
        """A page of that size in place of the one before: a test has one."""
        for older in self._context.pages[1:]:
            older.close()
        page = self._context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        return page


def until(page: Any, holds: Callable[[], object]) -> None:
    """Wait until something holds; the time limit of the test ends a wait that is in vain."""
    while not holds():
        page.wait_for_timeout(20)


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core, which checks a page against the rules of WCAG."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-playwright-python, which carries axe-core, is not installed")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


CONTRAST = """
() => {
  const parse = (text) => [...text.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const over = (top, base) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * base[i]);
  const light = (rgb) => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((base, top) => over(top, base), [255, 255, 255]);
  };
  const poor = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "STYLE", "title"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest("svg") ? style.fill : style.color), base = ground(element);
    const [a, b] = [light(over(ink, base)), light(base)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    seen += 1;
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} ${walker.currentNode.data}`);
  }
  return [seen, poor];
}
"""
"""WCAG 2 contrast of every text against what lies behind it: [texts, those below 4.5]."""


AXE_ALL = """
async () => (await axe.run(document, { resultTypes: ["violations"], preload: false })).violations
  .map(v => `${v.id}: ${v.nodes.length} of ${v.nodes[0].html.slice(0, 120)}`)
"""
"""Whatever axe-core finds, minor or not."""


AXE = """
async (colours) => (await axe.run(document, {
  resultTypes: ["violations"], preload: false, rules: { "color-contrast": { enabled: colours } }
})).violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => `${v.id}: ${v.nodes.length} of ${v.nodes[0].html.slice(0, 120)}`)
"""


class Tab:
    """A tab with the page. said: what the browser has to complain of.

    Parameters
    ----------
    **options : object
        Of a context of its own.
    """

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        size = {"width": 1280, "height": 800}
        self._own = browser.new_context(**{"viewport": size, **options}) if options else None
        self.page = self._own.new_page() if self._own else browser.new_page(**size)
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        host = address.split("/")[2]
        self.page.on(
            "request",
            lambda one: (
                None if host in one.url or one.url[:5] == "data:" else self.said.append(one.url)
            ),
        )
        self.page.goto(address)

    def close(self) -> None:
        """End it, with its context if that is its own."""
        self.page.context.set_offline(False)
        (self._own or self.page).close()

    def until(self, expression: str, seconds: float = PATIENCE / 1000) -> None:
        """Wait: the page forbids the evaluation of text within it, so that this asks from
        outside.
        """
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, (
                f"{expression}: {self.said} {self.page.inner_text('body')}"
            )
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Type, and wait until all of it is answered."""
        for key in keys:
            self.page.keyboard.press(key)
        self.page.evaluate("queue")

    def read(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def at(self, row: float, column: float) -> tuple[float, float]:
        """Where on the page a place of the scene is."""
        corner = self.page.evaluate("(({ x, y }) => [x, y])(stage.root.getBoundingClientRect())")
        x, y = self.page.evaluate("(place) => stage.at(place)", [row, column])
        return corner[0] + x, corner[1] + y
