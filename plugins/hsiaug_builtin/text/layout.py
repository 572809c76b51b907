"""Sentences on what a patch shows: which class lies in its centre, and what lies where.

A sentence is a list of *mentions*: a class, and a relation that says where it lies or what it looks
like. North is the first row of a scene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIDES = ("north", "south", "west", "east")
"""Relations of a neighbour on one side of the centre."""
OPPOSITE = {"north": "south", "south": "north", "west": "east", "east": "west"}
EXTENTS = ("whole", "most", "half", "small")
"""Relations that say how much of the patch the class of the centre covers."""
PHRASES = {
    "centre": "in the centre",
    "north": "to the north",
    "south": "to the south",
    "west": "to the west",
    "east": "to the east",
    "beside": "beside it",
    "around": "all around",
    "strip_ns": "in a strip from north to south",
    "strip_we": "in a strip from west to east",
    "whole": "filling the whole patch",
    "most": "in most of the patch",
    "half": "in half of the patch",
    "small": "in a small part of the patch",
    "even": "even",
    "mixed": "mixed",
    "bright": "bright",
    "dark": "dark",
}
"""How each relation is said."""
RELATIONS = tuple(PHRASES)
NEIGHBOURS = (*SIDES, "beside", "around")
"""Relations that name another class than that of the centre."""
ADJECTIVES = ("even", "mixed", "bright", "dark")


@dataclass(frozen=True)
class Mention:
    """A class, and where it lies or what it looks like.

    Attributes
    ----------
    noun : int
        Class id.
    relation : str
        One of RELATIONS.
    """

    noun: int
    relation: str


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
    own = [one.relation for one in mentions[1:] if one.relation not in NEIGHBOURS]
    adjectives = [relation for relation in own if relation in ADJECTIVES]
    places = [PHRASES[relation] for relation in own if relation not in ADJECTIVES]
    others = [
        f"{words[one.noun]} {PHRASES[one.relation]}"
        for one in mentions
        if one.relation in NEIGHBOURS
    ]
    said = " ".join([*adjectives, words[centre], *places])
    return f"{said} with {_joined(others)}" if others else said


def _joined(parts: Sequence[str]) -> str:
    """«a, b and c»."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))
