"""What a sentence says of a patch, as facts: the class in its centre, what lies where, and looks.

A sentence is parsed, not embedded. Nothing may be read as something else, so a word is either part
of a fact, or says nothing of any patch ("the", "please"), or the sentence is refused with that
word: a negation, a condition or an adjective that was left out would leave another sentence. The
order of what is said is free.

The steps: class names are found, then phrases of a lexicon; what is left over may be another word
for a class, by the nearest class name in the text encoder. The clauses between commas and joining
words then say how classes lie to each other, and the centre is the first class that all of this can
be said from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hsiaug_builtin.text.encoders import encode
from hsiaug_builtin.text.layout import EXTENTS, OPPOSITE, PHRASES, SIDES, Mention

LEAST_SIMILARITY = 0.78
"""Cosine of a word and a class name in the encoder from which the word is another one for the
class: "forest" and "woods" have .82, "barley" and "wheat" .77.
"""
LEAST_LEAD = 0.15
"""By how much the cosine with every other class must be less."""

_LEXICON = {
    "north": "north northern northwards top upper",
    "south": "south southern southwards bottom lower",
    "west": "west western westwards left",
    "east": "east eastern eastwards right",
    "above": "above over",
    "under": "below under underneath beneath",
    "of": "of",
    "beside": (
        "beside near nearby adjacent_to next_to close_to touching touches bordering borders"
        " bordered_by alongside"
    ),
    "around": "around all_around round surrounding surrounds on_all_sides on_every_side",
    "within": "surrounded_by encircled_by in_the_middle_of_@ in_the_centre_of_@",
    "between": "between",
    "centre": "centre center middle",
    "strip_ns": "north_to_south south_to_north top_to_bottom bottom_to_top",
    "strip_we": "west_to_east east_to_west left_to_right right_to_left",
    "whole": "everywhere only filling_the_whole_patch fills_the_whole_patch the_whole_patch",
    "most": "most_of mostly covering_most_of",
    "half": "half half_of about_half_of around_half_of",
    "small": "a_small_part_of little_of a_small_patch_of covering_little_of",
    "even": "even uniform smooth homogeneous",
    "mixed": "mixed uneven patchy heterogeneous",
    "bright": "bright brighter pale brighter_than_usual lighter_than_usual",
    "dark": "dark darker darker_than_usual",
    "join": ", and with but while which that has have having",
    "place": "side edge part border",
    "strip": "strip stripe narrow running runs",
}
_PHRASES_OF_WORDS = {
    tuple(phrase.split("_")): symbol
    for symbol, phrases in _LEXICON.items()
    for phrase in phrases.split()
}
"""The symbol of each phrase of the lexicon, by its words; @ stands for the name of a class."""
_LONGEST = max(map(len, _PHRASES_OF_WORDS))
_GRAMMAR = frozenset(
    """
    a an the in on at to from along by it its is are lies lie stands stand grows grow there here
    this patch image hyperspectral picture field fields area covering
    """.split()  # noqa: SIM905
)
"""Words that hold a sentence together."""
_HARMLESS = frozenset("please show me make draw generate create i want see".split())  # noqa: SIM905
"""Words that say nothing of a patch; they are named."""
_NEVER_NAMES = frozenset("no not without never or nor if unless except far".split())  # noqa: SIM905
_LOOKS = ("even", "mixed", "bright", "dark")
_OF_THE_CENTRE = (*_LOOKS, *EXTENTS, "strip_ns", "strip_we")


@dataclass(frozen=True)
class Reading:
    """What a sentence says.

    Attributes
    ----------
    mentions : tuple of Mention
        The class of the centre first; empty where the sentence is refused.
    ignored : tuple of str
        Words that say nothing of a patch.
    faults : tuple of str
        Why no patch can be made of it, in half sentences.
    synonyms : mapping of str to str
        {word: the class name that it was taken for}.
    """

    mentions: tuple[Mention, ...] = ()
    ignored: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)


Token = tuple[str, Any]
"""A symbol of the lexicon; or "class" with its id, "unknown" with the words, "sides" with some of
SIDES, "between" with two class ids.
"""


class _Refused(Exception):
    """A sentence of which no patch can be made."""


def read_sentence(text: str, words: Mapping[int, str]) -> Reading:
    """The facts of a sentence as somebody typed it.

    Parameters
    ----------
    text : str
        The sentence. North is the first row of a scene; top and above are north, left is west.
    words : mapping of int to str
        {class id: its name in words}, of the classes that may be named.
    """
    ignored: list[str] = []
    synonyms: dict[str, str] = {}
    try:
        tokens = _tokens(_words(text), words, ignored, synonyms)
        if not any(symbol == "class" for symbol, _ in tokens):
            raise _Refused("it names no class of the scene")
        claims = _Claims()
        for clause in _clauses(_merged(tokens, words)):
            claims.add_clause(clause, words)
        mentions = _mentions(claims, words)
    except _Refused as refusal:
        return Reading((), tuple(ignored), (str(refusal),), synonyms)
    return Reading(mentions, tuple(ignored), (), synonyms)


def _words(text: str) -> list[str]:
    """Words in lower case; marks between parts of a sentence are commas."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("w/", "with ")
    plain = re.sub(r"[.,;:()!?]", " , ", plain)
    return re.sub(r"[^\w,]|_", " ", plain).split()


def _tokens(
    typed: Sequence[str], names: Mapping[int, str], ignored: list[str], synonyms: dict[str, str]
) -> list[Token]:
    """Symbols of the words, in their order. Raises _Refused for words that are not understood."""
    tokens: list[Token] = []
    at = 0
    while at < len(typed):
        class_id, after = _name_at(typed, at, names)
        symbol, after_phrase = _phrase_at(typed, at, names)
        word = typed[at]
        if class_id is not None:
            tokens.append(("class", class_id))
            at = after
        elif symbol:
            tokens.append((symbol, None))
            at = after_phrase
        else:
            at += 1
            if word in _HARMLESS:
                ignored.append(word)
            elif tokens and tokens[-1][0] == "unknown" and word not in _GRAMMAR:
                tokens[-1] = ("unknown", f"{tokens[-1][1]} {word}")
            elif word not in _GRAMMAR:
                tokens.append(("unknown", word))
    return _with_synonyms(tokens, names, synonyms)


def _name_at(typed: Sequence[str], at: int, names: Mapping[int, str]) -> tuple[int | None, int]:
    """The class with the longest name that begins at a word, and the word after it.

    Blanks do not count: "corn no till" is "corn notill".
    """
    best: tuple[int | None, int, int] = (None, at, 0)
    for class_id, name in names.items():
        whole = "".join(_words(name))
        joined = ""
        for end in range(at, len(typed)):
            joined += typed[end]
            if joined in (whole, f"{whole}s", f"{whole}es") and len(whole) > best[2]:
                best = class_id, end + 1, len(whole)
            if len(joined) > len(whole) + 2:
                break
    return best[:2]


def _phrase_at(typed: Sequence[str], at: int, names: Mapping[int, str]) -> tuple[str, int]:
    """The symbol of the longest phrase of the lexicon at a word, and the word after it."""
    start = at
    for length in range(_LONGEST, 0, -1):
        words = tuple(typed[start : start + length])
        if words in _PHRASES_OF_WORDS:
            return _PHRASES_OF_WORDS[words], start + length
        named = (*words[:-1], "@")
        if length > 1 and named in _PHRASES_OF_WORDS:
            last = start + length - 1
            last += typed[last : last + 1] == ["the"]
            if _name_at(typed, last, names)[0] is not None:
                return _PHRASES_OF_WORDS[named], start + length - 1
    return "", at


def _with_synonyms(
    tokens: Sequence[Token], names: Mapping[int, str], synonyms: dict[str, str]
) -> list[Token]:
    """The tokens with classes in place of unknown words that are other words for them.

    Words beside the name of a class describe it, and are no name.
    """
    found: list[Token] = []
    for place, (symbol, value) in enumerate(tokens):
        if symbol != "unknown":
            found.append((symbol, value))
            continue
        word = str(value)
        beside = [tokens[i][0] for i in (place - 1, place + 1) if 0 <= i < len(tokens)]
        class_id = None
        if "class" not in beside and word not in _NEVER_NAMES:
            class_id = nearest_class(word, names)
        if class_id is None:
            raise _Refused(f"“{word}” is not understood")
        synonyms[word] = names[class_id]
        found.append(("class", class_id))
    return found


def nearest_class(word: str, names: Mapping[int, str]) -> int | None:
    """The class that a word is another one for, by the encoder; None where it is near to none."""
    ids = [class_id for class_id, name in names.items() if name.strip()]
    embedded = encode([word, *(names[class_id] for class_id in ids)]).pooled
    similarity = embedded[1:] @ embedded[0]
    best = int(similarity.argmax())
    others = [value for row, value in enumerate(similarity.tolist()) if row != best]
    lead = float(similarity[best]) - max(others, default=-1.0)
    near = similarity[best] >= LEAST_SIMILARITY and lead >= LEAST_LEAD
    return ids[best] if near else None


def _merged(tokens: Sequence[Token], words: Mapping[int, str]) -> list[Token]:
    """Tokens with sides that belong together as one, and without words that only go with others.

    Raises _Refused for sides that are no side of a square, and for words that lack what they go
    with.
    """
    has_strip = any(symbol in ("strip_ns", "strip_we") for symbol, _ in tokens)
    merged: list[Token] = []
    for place, (symbol, value) in enumerate(tokens):
        following = tokens[place + 1][0] if place + 1 < len(tokens) else ""
        if symbol in ("above", "under"):
            side = "north" if symbol == "above" else "south"
            merged.append(("sides", (side,)))
            merged += [("of", None)] * (following == "class")
        elif symbol in SIDES:
            merged.append(("sides", (symbol,)))
        elif symbol == "place":
            if "sides" not in (merged[-1:] or [("", 0)])[0] and following not in SIDES:
                raise _Refused("it names a side or an edge and does not say which")
        elif symbol == "strip":
            if not has_strip:
                raise _Refused("it does not say from where to where a strip runs")
        elif symbol != "join" or (merged and merged[-1][0] != "join"):
            merged.append((symbol, value))
    return _with_pairs(_with_lists_of_sides(merged), words)


def _with_lists_of_sides(tokens: Sequence[Token]) -> list[Token]:
    """Tokens with «north and east» as one."""
    listed: list[Token] = []
    for symbol, value in tokens:
        if symbol == "sides" and listed and listed[-1][0] == "sides":
            both = " ".join((*listed[-1][1], *value))
            raise _Refused(f"only north, south, west and east are sides, and it says {both}")
        if symbol == "sides" and [token[0] for token in listed[-2:]] == ["sides", "join"]:
            listed.pop()
            listed[-1] = ("sides", (*listed[-1][1], *value))
        else:
            listed.append((symbol, value))
    return listed


def _with_pairs(tokens: Sequence[Token], words: Mapping[int, str]) -> list[Token]:
    """Tokens with «between woods and corn» as one."""
    paired: list[Token] = []
    rest = list(tokens)
    while rest:
        symbol, value = rest.pop(0)
        if symbol != "between":
            paired.append((symbol, value))
            continue
        if [token[0] for token in rest[:3]] != ["class", "join", "class"]:
            raise _Refused("it does not say between which two classes")
        paired.append(("between", (rest[0][1], rest[2][1])))
        del rest[:3]
    return paired


def _clauses(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Parts of a sentence between joining words."""
    clause: list[Token] = []
    for token in (*tokens, ("join", None)):
        if token[0] != "join":
            clause.append(token)
        elif clause:
            yield clause
            clause = []


@dataclass
class _Clause:
    """A clause as far as it is read.

    Attributes
    ----------
    subject : int or None
        The class that it is about.
    latest : int or None
        The class that was named last.
    link : tuple of str
        How the subject lies to the class that is named next.
    waiting : list of (tuple of str, int or pair of int or None)
        What is said of the subject: relations, and the classes that it lies so to.
    """

    subject: int | None = None
    latest: int | None = None
    link: tuple[str, ...] = ()
    waiting: list[tuple[tuple[str, ...], Any]] = field(default_factory=list)


@dataclass
class _Claims:
    """What the clauses of a sentence say, as they are read one after the other.

    Attributes
    ----------
    lies : list of (int, str, int or None)
        A class, one of NEIGHBOURS, and the class that it lies so to: that of the centre where it is
        None.
    centres : list of int
        Classes that are said to lie in the centre.
    looks : list of (int, str)
        A class, and how it looks or how much of the patch it covers.
    named : list of int
        All classes in their order.
    subjects : list of int
        What the clauses are about, in their order.
    waiting_looks : list of str
        Looks of the class that is named next.
    """

    lies: list[tuple[int, str, int | None]] = field(default_factory=list)
    centres: list[int] = field(default_factory=list)
    looks: list[tuple[Any, str]] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    subjects: list[int] = field(default_factory=list)
    waiting_looks: list[str] = field(default_factory=list)

    def add_clause(self, tokens: Sequence[Token], words: Mapping[int, str]) -> None:
        """Read one more clause. Raises _Refused where it does not say how classes lie."""
        clause = _Clause()
        for place, (symbol, value) in enumerate(tokens):
            rest = [token[0] for token in tokens[place + 1 :] if token[0] not in _LOOKS]
            if symbol == "class":
                self._add_class(clause, value, words)
            elif symbol == "sides" and rest[:2] == ["of", "class"]:
                clause.link = value
            elif symbol in ("beside", "around", "within") and rest[:1] == ["class"]:
                clause.link = (symbol,)
            elif symbol in ("sides", "beside", "around", "centre"):
                self._add_place(clause, value if symbol == "sides" else (symbol,))
            elif symbol == "between":
                self.named += value
                clause.waiting.append((("between",), value))
            elif symbol in _OF_THE_CENTRE and (clause.latest is None or rest[:1] == ["class"]):
                self.waiting_looks.append(symbol)
            elif symbol in _OF_THE_CENTRE:
                self.looks.append((clause.latest, symbol))
        subject = self._subject_of(clause)
        for relations, other in clause.waiting:
            self._add(subject, relations, other)

    def _add_class(self, clause: _Clause, class_id: int, words: Mapping[int, str]) -> None:
        """Add a class that a clause names: its subject, or what the subject lies to."""
        if clause.link:
            clause.waiting.append((clause.link, class_id))
        elif clause.subject is None:
            clause.subject = class_id
        else:
            both = f"{words[clause.subject]} and {words[class_id]}"
            raise _Refused(f"it does not say how {both} lie to each other")
        clause.latest, clause.link = class_id, ()
        self.named.append(class_id)
        self.looks += [(class_id, look) for look in self.waiting_looks]
        self.waiting_looks = []

    def _add_place(self, clause: _Clause, relations: tuple[str, ...]) -> None:
        """Add where the class lies that was named last, or is named next."""
        if clause.latest in (None, clause.subject):
            clause.waiting.append((relations, None))
        else:
            self._add(clause.latest, relations, None)

    def _subject_of(self, clause: _Clause) -> int | None:
        """What a clause is about: one without a class of its own is about that before it."""
        subject = clause.subject
        if subject is None and clause.waiting:
            if not self.subjects or any(other is None for _, other in clause.waiting):
                said = [relation for relations, _ in clause.waiting for relation in relations]
                raise _Refused(f"it does not say what is there: {', '.join(said)}")
            subject = self.subjects[-1]
        self.subjects += [] if subject is None else [subject]
        return subject

    def _add(self, first: Any, relations: Sequence[str], other: Any) -> None:
        for relation in relations:
            if relation == "centre":
                self.centres.append(first)
            elif relation == "within":
                self.lies.append((other, "around", first))
            elif relation == "between":
                west, east = other
                self.lies += [(west, "west", first), (east, "east", first)]
            else:
                self.lies.append((first, relation, other))


def _mentions(claims: _Claims, words: Mapping[int, str]) -> tuple[Mention, ...]:
    """The mentions of what is claimed, the centre first. Raises _Refused where it contradicts
    itself, or leaves open where a class lies.
    """
    centres = list(dict.fromkeys(claims.centres))
    if len(centres) > 1:
        both = " and ".join(words[c] for c in centres)
        raise _Refused(f"it names two classes for the centre, {both}")
    to_each_other = [(first, other) for first, side, other in claims.lies if side in SIDES]
    outside = {first for first, _, other in claims.lies if other is None}
    # «woods left and right of wheat» is about a patch of wheat.
    outside |= {first for first, other in to_each_other if to_each_other.count((first, other)) > 1}
    for centre in centres or dict.fromkeys((*claims.subjects, *claims.named)):
        places = _places_from(centre, claims)
        if centre not in outside and set(claims.named) <= {centre, *(noun for _, noun in places)}:
            break
    else:
        listed = ", ".join(words[c] for c in dict.fromkeys(claims.named))
        raise _Refused(f"it does not say which of these is in the centre, and where: {listed}")
    looks = _looks_of(centre, claims, words)
    _check_places(places, looks, words)
    closer = {noun for relation, noun in places if relation != "beside"}
    mentions = [Mention(centre, "centre"), *(Mention(centre, look) for look in looks)]
    mentions += [
        Mention(noun, relation)
        for relation, noun in places
        if relation != "beside" or noun not in closer
    ]
    return tuple(mentions)


def _places_from(centre: int, claims: _Claims) -> list[tuple[str, int]]:
    """(relation, class) of all that lies round a centre; empty where a claim is not about it."""
    places = []
    for first, relation, other in claims.lies:
        if other in (centre, None) and first != centre:
            places.append((relation, first))
        elif first == centre and other is not None and relation != "around":
            places.append((OPPOSITE.get(relation, relation), other))
        else:
            return []
    return list(dict.fromkeys(places))


def _looks_of(centre: int, claims: _Claims, words: Mapping[int, str]) -> list[str]:
    """How the centre looks. Raises _Refused for looks of another class, and for opposite ones."""
    if claims.waiting_looks:
        raise _Refused(f"it does not say what is {claims.waiting_looks[0]}")
    for class_id, look in claims.looks:
        if class_id != centre:
            raise _Refused(
                f"only the class in the centre, {words[centre]}, can be {look}, and it says so of"
                f" {words[class_id]}"
            )
    looks = list(dict.fromkeys(look for _, look in claims.looks))
    for exclusive in (("even", "mixed"), ("bright", "dark"), EXTENTS, ("strip_ns", "strip_we")):
        both = [look for look in looks if look in exclusive]
        if len(both) > 1:
            raise _Refused(f"it cannot be {both[0]} and {both[1]}")
    return looks


def _check_places(
    places: Sequence[tuple[str, int]], looks: Sequence[str], words: Mapping[int, str]
) -> None:
    """Raise _Refused for two classes in one place, and for any beside one that fills the patch."""
    taken: dict[str, int] = {}
    for relation, noun in places:
        if taken.setdefault(relation, noun) != noun and relation != "beside":
            both = f"{words[taken[relation]]} and {words[noun]}"
            raise _Refused(f"two classes lie {PHRASES[relation]}, {both}")
    around = taken.get("around")
    others = [noun for relation, noun in places if relation in SIDES and noun != around]
    if around is not None and others:
        raise _Refused(f"{words[around]} cannot lie all around with {words[others[0]]} on one side")
    if places and "whole" in looks:
        raise _Refused("no other class can lie in a patch that one fills")
