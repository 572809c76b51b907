"""Sentences on what a patch shows: which class lies in its centre, and what lies where.

A sentence is a list of *mentions*: a class, and a phrase of where it lies or what it looks like.
Every phrase belongs to a relation, and every relation has several phrases, so that one fact can be
said in many ways. North is the first row of a scene.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIDES = ("north", "south", "west", "east")
"""Relations of a neighbour on one side of the centre."""
PHRASES: dict[str, tuple[str, ...]] = {
    "centre": ("in the centre", "in the middle", "here"),
    "north": (
        "to the north",
        "in the north",
        "on the northern side",
        "north of it",
        "above",
        "at the top",
        "along the upper edge",
    ),
    "south": (
        "to the south",
        "in the south",
        "on the southern side",
        "south of it",
        "below",
        "at the bottom",
        "along the lower edge",
    ),
    "west": (
        "to the west",
        "in the west",
        "on the western side",
        "west of it",
        "to the left",
        "on the left side",
        "along the left edge",
    ),
    "east": (
        "to the east",
        "in the east",
        "on the eastern side",
        "east of it",
        "to the right",
        "on the right side",
        "along the right edge",
    ),
    "beside": ("beside it", "next to it", "nearby"),
    "around": ("all around", "on all sides", "surrounding it", "in a ring around it"),
    "strip_ns": ("in a strip from north to south", "running north to south"),
    "strip_we": ("in a strip from west to east", "running west to east"),
    "whole": ("filling the whole patch", "everywhere"),
    "most": ("in most of the patch", "covering most of the patch"),
    "half": ("in half of the patch", "covering about half of the patch"),
    "small": ("in a small part of the patch", "covering little of the patch"),
    "even": ("even", "uniform", "smooth"),
    "mixed": ("mixed", "uneven", "patchy"),
    "bright": ("bright", "pale", "lighter than usual"),
    "dark": ("dark", "darker than usual"),
}
"""The phrases of each relation; the first one is the plainest."""
RELATIONS = tuple(PHRASES)
NEIGHBOURS = (*SIDES, "beside", "around")
"""Relations that name another class than that of the centre."""
ADJECTIVES = ("even", "mixed", "bright", "dark")

_SYNONYMS: dict[str, str] = {
    "north": r"north(?:ern|wards?)?|above|top|upper|over",
    "south": r"south(?:ern|wards?)?|below|bottom|lower|under(?:neath)?",
    "west": r"west(?:ern|wards?)?|left",
    "east": r"east(?:ern|wards?)?|right",
    "beside": r"beside|near|nearby|next to|adjacent|bordering|by",
    "around": r"around|round|surround(?:ed|ing|s)?|encircled|all sides|every side",
    "whole": r"everywhere|whole|entire|fill(?:s|ing|ed)?|only|alone",
    "most": r"most(?:ly)?|mainly",
    "half": r"half|halves",
    "small": r"small|little|narrow",
    "even": r"even|uniform|smooth|homogeneous|flat",
    "mixed": r"mixed|uneven|patchy|rough|heterogeneous",
    "bright": r"bright(?:er)?|pale(?:r)?|light(?:er)?",
    "dark": r"dark(?:er)?",
    "centre": r"cent(?:re|er)|middle|here",
}
_OPPOSITE = {"north": "south", "south": "north", "west": "east", "east": "west"}
_STRIPS = {
    "strip_ns": r"(?:north to south|south to north|top to bottom)",
    "strip_we": r"(?:west to east|east to west|left to right)",
}
_FILLER = frozenset(
    """
    a an the of in on at to with and or it its is are lies lie stands run runs running has
    there that which this patch image hyperspectral picture field fields area side sides
    edge part along from covering covers about than usual ring strip all every both one
    corner some for where as do be was were but
    """.split()  # noqa: SIM905
)
"""Words that say nothing by themselves."""


@dataclass(frozen=True)
class Mention:
    """A class, and a phrase that says where it lies or what it looks like.

    Attributes
    ----------
    noun : int
        Class id.
    relation : str
        One of RELATIONS.
    phrase : str
        Its words.
    """

    noun: int
    relation: str
    phrase: str


@dataclass(frozen=True)
class Reading:
    """What was understood of a prompt.

    Attributes
    ----------
    mentions : tuple of Mention
        The first is the class of the centre.
    ignored : tuple of str
        Words that were not understood.
    faults : tuple of str
        Why no patch can be made of it; empty where one can.
    """

    mentions: tuple[Mention, ...]
    ignored: tuple[str, ...]
    faults: tuple[str, ...] = ()


def write_sentence(mentions: Sequence[Mention], words: Mapping[int, str]) -> str:
    """A sentence of mentions, the class of the centre first.

    Parameters
    ----------
    mentions : sequence of Mention
        What is to be said.
    words : mapping of int to str
        {class id: its name in words}.
    """
    centre = mentions[0].noun
    adjectives = [m.phrase for m in mentions if m.relation in ADJECTIVES]
    places = [
        m.phrase
        for m in mentions
        if m.noun == centre and m.relation not in ADJECTIVES and m.relation != "centre"
    ]
    others = [f"{words[m.noun]} {m.phrase}" for m in mentions if m.relation in NEIGHBOURS]
    said = " ".join([*adjectives, words[centre], *places])
    return f"{said} with {_joined(others)}" if others else said


def _joined(parts: Sequence[str]) -> str:
    """«a, b and c»."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))


def read_sentence(text: str, words: Mapping[int, str]) -> Reading:
    """The mentions of a prompt as somebody typed it.

    A class is found by its name, the longest first; a clause ends at a comma, «and», «with» or
    «but». The first class that no side is said of lies in the centre.

    Parameters
    ----------
    text : str
        The prompt.
    words : mapping of int to str
        {class id: its name in words}, of the classes that may be named.
    """
    plain = normalised(text)
    found = _find_names(plain, words)
    if not found:
        return Reading((), tuple(_unknown(plain)), ("it names no class of the scene",))
    names = {class_id for _, _, class_id in found}
    placed: list[tuple[int, str, str]] = []
    centres: list[int] = []
    adjectives: list[tuple[str, str]] = []
    ignored: list[str] = []
    for clause in _clauses(plain, found):
        relations, unknown = _relations_of(clause.rest)
        ignored += unknown
        sides = [(r, phrase) for r, phrase in relations if r in NEIGHBOURS]
        others = [(r, phrase) for r, phrase in relations if r not in NEIGHBOURS]
        for noun in clause.nouns:
            if sides and (centres or len(names) > 1):
                placed += [(noun, r, phrase) for r, phrase in sides]
            elif noun not in centres:
                centres.append(noun)
                ignored += [word for _, phrase in sides for word in phrase.split()]
        if not clause.nouns and sides and placed:
            # «woods to the north and to the east»: the class of the clause before.
            placed += [(placed[-1][0], r, phrase) for r, phrase in sides]
        adjectives += [pair for pair in others if pair[0] != "centre"]
    return _checked(centres, placed, adjectives, ignored, words)


def _checked(
    centres: Sequence[int],
    placed: Sequence[tuple[int, str, str]],
    adjectives: Sequence[tuple[str, str]],
    ignored: Sequence[str],
    words: Mapping[int, str],
) -> Reading:
    """The reading, with what contradicts itself as its faults."""
    faults = []
    if not centres:
        faults.append("it says of no class that it lies in the centre")
        return Reading((), tuple(ignored), tuple(faults))
    if len(centres) > 1:
        both = " and ".join(words[c] for c in centres)
        faults.append(f"it names two classes for the centre, {both}")
    centre = centres[0]
    mentions = [Mention(centre, "centre", PHRASES["centre"][0])]
    mentions += [Mention(centre, relation, phrase) for relation, phrase in adjectives]
    taken: dict[str, int] = {}
    for noun, relation, phrase in placed:
        if taken.setdefault(relation, noun) != noun:
            faults.append(
                f"two classes lie {PHRASES[relation][0]}, {words[taken[relation]]} and"
                f" {words[noun]}"
            )
        mentions.append(Mention(noun, relation, phrase))
    for one, other in (("even", "mixed"), ("bright", "dark")):
        named = {relation for relation, _ in adjectives}
        if one in named and other in named:
            faults.append(f"it cannot be {one} and {other}")
    return Reading(tuple(dict.fromkeys(mentions)), tuple(ignored), tuple(faults))


@dataclass(frozen=True)
class _Clause:
    nouns: tuple[int, ...]
    rest: str


def normalised(text: str) -> str:
    """Words in lower case with single blanks; commas stay."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.sub(r"[^\w,]|_", " ", text).replace(",", " , ").split())


def _find_names(plain: str, words: Mapping[int, str]) -> list[tuple[int, int, int]]:
    """(start, end, class id) of the names in a text, in order; the longest name wins."""
    found: list[tuple[int, int, int]] = []
    for class_id, name in sorted(words.items(), key=lambda item: -len(item[1])):
        if not name:
            continue
        for match in re.finditer(rf"\b{re.escape(normalised(name))}(?:s|es)?\b", plain):
            if all(match.end() <= start or match.start() >= end for start, end, _ in found):
                found.append((match.start(), match.end(), class_id))
    return sorted(found)


def _clauses(plain: str, found: Sequence[tuple[int, int, int]]) -> list[_Clause]:
    """Parts of a text between its names and joining words, with the names in each."""
    marked = plain
    for number, (start, end, _) in reversed(list(enumerate(found))):
        marked = f"{marked[:start]} @{number} {marked[end:]}"
    # «wheat beside woods», «wheat south of woods»: what is said of the second name, after it.
    marked = re.sub(r"\bsurrounded by\s+(@\d+)", r", \1 all around ,", marked)
    marked = re.sub(
        rf"(?<=\d)\s+(?:{_SYNONYMS['beside']})\s+(?:to\s+)?(?:the\s+)?(@\d+)",
        r" , \1 beside it ,",
        marked,
    )
    marked = re.sub(
        r"(?<=\d)\s+(?:to the |in the )?(north|south|west|east) of\s+(?:the\s+)?(@\d+)",
        lambda match: f" , {match[2]} to the {_OPPOSITE[match[1]]} ,",
        marked,
    )
    clauses = []
    for part in re.split(r"\s,\s|\band\b|\bwith\b|\bbut\b", marked):
        names = tuple(found[int(number)][2] for number in re.findall(r"@(\d+)", part))
        rest = " ".join(re.sub(r"@\d+|,", " ", part).split())
        clauses.append(_Clause(names, rest))
    return [c for c in clauses if c.nouns or c.rest]


def _relations_of(rest: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Relations in the words beside a name, with their phrases, and the words that say none."""
    relations: list[tuple[str, str]] = []
    left = rest
    for relation, pattern in _STRIPS.items():
        if re.search(pattern, left):
            relations.append((relation, PHRASES[relation][0]))
            left = re.sub(pattern, " ", left)
    for relation, phrases in PHRASES.items():
        for phrase in sorted(phrases, key=len, reverse=True):
            if re.search(rf"\b{phrase}\b", left):
                relations.append((relation, phrase))
                left = re.sub(rf"\b{phrase}\b", " ", left)
    for relation, pattern in _SYNONYMS.items():
        match = re.search(rf"\b(?:{pattern})\b", left)
        if match and relation not in dict(relations):
            relations.append((relation, PHRASES[relation][0]))
        left = re.sub(rf"\b(?:{pattern})\b", " ", left)
    return relations, _unknown(left)


def _unknown(text: str) -> list[str]:
    """Words that are neither names, nor relations, nor filler."""
    return [word for word in text.replace(",", " ").split() if word not in _FILLER]
