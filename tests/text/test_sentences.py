"""Sentences as people type them: none may be read as something else, and few plain ones refused.

Each has the facts that it states, written down before the parser was: the class in the centre, what
lies where, and how the class looks. A sentence without facts must be refused.
"""

import pytest

from hsiaug_builtin.text.sentences import read_sentence

NAMES = dict(
    enumerate(
        (
            "alfalfa",
            "corn notill",
            "corn mintill",
            "corn",
            "grass pasture",
            "grass trees",
            "grass pasture mowed",
            "hay windrowed",
            "oats",
            "soybean notill",
            "soybean mintill",
            "soybean clean",
            "wheat",
            "woods",
            "buildings grass trees drives",
            "stone steel towers",
        ),
        start=1,
    )
)

PLAIN = {
    "wheat": "wheat",
    "A patch of wheat.": "wheat",
    "corn no-till": "corn notill",
    "Corn-notill": "corn notill",
    "woods with wheat to the north": "woods; north wheat",
    "wheat, woods on the left": "wheat; west woods",
    "wheat with corn on its right": "wheat; east corn",
    "corn notill to the left of woods": "corn notill; east woods",
    "corn notill below woods": "corn notill; north woods",
    "soybean notill above corn": "soybean notill; south corn",
    "corn under woods": "corn; north woods",
    "oats beneath hay windrowed": "oats; north hay windrowed",
    "woods lie north of wheat": "woods; south wheat",
    "woods to the east of corn": "woods; west corn",
    "to the north of corn lies wheat": "wheat; south corn",
    "woods around wheat": "wheat; around woods",
    "wheat surrounded by woods": "wheat; around woods",
    "there is wheat in the middle and woods all around it": "wheat; around woods",
    "wheat is at the top and woods is in the middle": "woods; north wheat",
    "in the centre oats, to the east corn": "oats; east corn",
    "forest": "woods",
    "forest with corn to the west": "woods; west corn",
    "corn no-till with woods to the west": "corn notill; west woods",
    "alfalfa with oats north of it and wheat south of it": "alfalfa; north oats; south wheat",
    "grass pasture with woods at the top and corn at the bottom": (
        "grass pasture; north woods; south corn"
    ),
    "wheat with woods to the north and to the east": "wheat; north woods; east woods",
    "wheat with woods on the left and right": "wheat; west woods; east woods",
    "woods left and right of wheat": "wheat; west woods; east woods",
    "uniform wheat": "wheat; even",
    "bright uniform wheat": "wheat; bright; even",
    "dark woods": "woods; dark",
    "wheat which is darker than usual": "wheat; dark",
    "a mixed patch of soybean clean": "soybean clean; mixed",
    "alfalfa in a strip from north to south": "alfalfa; strip_ns",
    "a narrow strip of oats from west to east": "oats; strip_we",
    "wheat filling the whole patch": "wheat; whole",
    "only wheat": "wheat; whole",
    "woods in half of the patch, corn on the right": "woods; half; east corn",
    "corn mintill next to soybean mintill": "corn mintill; beside soybean mintill",
    "corn notill bordered by woods on the east": "corn notill; east woods",
    "a field of soybean notill that touches woods in the west": "soybean notill; west woods",
    "between woods and corn there is wheat": "wheat; west woods; east corn",
    "wheat between woods and corn": "wheat; west woods; east corn",
    "soybean clean, its left side is woods": "soybean clean; west woods",
    "WHEAT WITH WOODS TO THE NORTH": "wheat; north woods",
    "Wheat. Woods to the north.": "wheat; north woods",
    "wheat (woods to the south)": "wheat; south woods",
    "please show me wheat with corn on the left": "wheat; west corn",
    "corn-notill w/ woods above": "corn notill; north woods",
    "woods north of wheat and east of corn": "woods; south wheat; west corn",
    "to the left woods, to the right corn, in the middle wheat": "wheat; west woods; east corn",
    "North of the wheat there are woods": "woods; south wheat",
}
"""What each states. Where a sentence only says how two classes lie to each other, the one that it is
about lies in the centre."""

NO_PATCH = (
    "corn notill, no woods to the west",
    "wheat without woods",
    "not corn but wheat",
    "wheat unless it is near woods",
    "wheat or corn",
    "wheat, maybe with woods to the north",
    "half wheat, half woods",
    "the quick brown woods with wheat to the north of zorg",
    "three patches of wheat",
    "young green wheat",
    "wheat with woods to the north and corn to the north",
    "wheat and corn in the centre",
    "woods with snow to the north",
    "wheat far from woods",
    "wheat with woods not far to the north",
    "Weizen mit Wald im Norden",
    "wheat with woods to the north-west",
    "wheat with woods in the upper left corner",
    "dark woods beside bright wheat",
    "corn with woods",
    "wheat with woods to the north of corn",
    "if there is wheat then woods to the north",
    "bright dark wheat",
    "woods instead of wheat",
    "woods all around except the south",
    "wheat with bright woods to the north",
    "some of the patch is wheat",
    "half of the patch is wheat, the rest is corn",
    "barley",
    "wheat except in the north, where there are woods",
    "",
    "пшеница",
)


def facts(text: str) -> str:
    """The facts of a sentence in the form of those above, and none where it is refused."""
    reading = read_sentence(text, NAMES)
    if reading.faults:
        return ""
    centre, *others = reading.mentions
    stated = [
        f"{one.relation} {NAMES[one.noun]}" if one.noun != centre.noun else one.relation
        for one in others
    ]
    return "; ".join([NAMES[centre.noun], *sorted(stated)])


def expected(stated: str) -> str:
    centre, *others = stated.split("; ")
    return "; ".join([centre, *sorted(others)])


def test_no_sentence_is_read_as_something_else() -> None:
    for text, stated in PLAIN.items():
        assert facts(text) in ("", expected(stated)), text
    for text in NO_PATCH:
        assert facts(text) == "", text


def test_few_plain_sentences_are_refused() -> None:
    refused = [text for text in PLAIN if not facts(text)]
    assert len(PLAIN) + len(NO_PATCH) >= 60 and len(refused) <= 10, refused


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("young wheat", "young"),
        ("wheat without woods", "without"),
        ("woods with snow to the north", "snow"),
        ("wheat with woods to the north-west", "north west"),
    ],
)
def test_what_is_not_understood_is_named(text: str, word: str) -> None:
    assert any(word in fault for fault in read_sentence(text, NAMES).faults)


def test_words_that_say_nothing_of_a_patch_are_named_and_refuse_nothing() -> None:
    reading = read_sentence("please show me wheat", NAMES)
    assert reading.ignored == ("please", "show", "me") and not reading.faults


def test_a_synonym_is_said() -> None:
    assert read_sentence("forest with corn to the west", NAMES).synonyms == {"forest": "woods"}
