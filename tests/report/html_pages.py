"""A page taken apart: its links, ids, tables and texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

VOID = {"meta", "link", "img", "source", "br", "circle", "line", "rect", "path", "polyline"}
OPTIONAL = {"td", "li"}
"""Elements whose end tag may be left out."""


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    parts: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def all(self, tag: str, **attributes: str) -> list[Node]:
        """Every element of that tag below this one, in order, that has these attributes."""
        found = []
        for part in self.parts:
            if isinstance(part, Node):
                wanted = part.tag == tag and all(
                    part.attributes.get(k) == v for k, v in attributes.items()
                )
                found += [part] if wanted else []
                found += part.all(tag, **attributes)
        return found

    def every(self) -> list[Node]:
        below = [part for part in self.parts if isinstance(part, Node)]
        return [node for part in below for node in (part, *part.every())]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th", "tr") and self.open[-1].tag in OPTIONAL:
            self.open.pop()
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].parts.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag != tag and self.open[-1].tag in OPTIONAL:
            self.open.pop()
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def parsed(page: str) -> Node:
    """The page as a tree; fails where a tag is closed that is not open."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert [node.tag for node in parser.open] == ["page"]
    return parser.open[0]


def picture_named(page: Node, caption: str) -> list[str]:
    """The texts of the one figure whose caption ends so."""
    (source,) = (
        image.attributes["src"] for image in page.all("img") if caption in image.attributes["alt"]
    )
    svg = parsed(re.sub(r"<[?!][^>]*>", "", unquote(source.partition(",")[2])))
    return [text.text for text in svg.all("text")]


def table_named(page: Node, heading: str) -> list[list[Node]]:
    """Body rows of the table with that heading, as lists of cells."""
    (table,) = page.all("table", **{"aria-label": heading})
    (body,) = table.all("tbody")
    return [[cell for cell in row.parts if isinstance(cell, Node)] for row in body.all("tr")]
