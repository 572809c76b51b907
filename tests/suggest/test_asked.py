"""Asked labels: the base draw and more, the same test pixels for all of them, and no label read
before it is chosen.
"""

from dataclasses import replace

import numpy as np
import pytest

from hsiaug.base.errors import InputError, PluginError
from hsiaug.core.fields import seen_fields
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.based import STRATEGIES
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Blind, Split, draw_split
from hsiaug.registry.lookup import registry
from hsiaug.suggest.asked_protocol import Asked
from hsiaug.suggest.committee import Member
from hsiaug.suggest.picks import suggestions
from hsiaug.testing import check_protocol

TOY = toy_scene(height=40, width=40)
TWO = (Member("svm", "raw"), Member("svm", "unit"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.suggest.asked_protocol.committee", lambda *_: TWO)
    monkeypatch.setattr("hsiaug.suggest.asked_protocol._orders", {})


def drawn(text: str, seed: int = 0, scene: Scene = TOY) -> Split:
    return draw_split(scene, parse_protocol(text), seed, 5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_labels_hold_fewer_and_all_test_the_same_pixels(strategy: str) -> None:
    plain, none = drawn("kshot:4"), drawn("asked:0:kshot:4")
    few, more = (drawn(f"asked:{n}x{strategy}:kshot:4") for n in (5, 12))

    assert (none.train == plain.train).all() and not none.asked.any()
    for split, n in ((few, 5), (more, 12)):
        assert (split.train == plain.train | split.asked).all() and not (
            split.asked & plain.train
        ).any()
        assert split.asked.sum() == n and (split.test == none.test).all()
    assert (few.asked <= more.asked).all()
    assert (none.test <= plain.test).all() and none.test.sum() >= 0.7 * plain.test.sum()
    assert (np.array(none.audit.test_counts) >= np.minimum(plain.audit.test_counts, 3)).all()


def test_asked_pixels_make_no_field_a_seen_one() -> None:
    plain, more = drawn("kshot:4"), drawn("asked:12xrandom:kshot:4")

    assert (more.seen == plain.seen).all()
    assert (seen_fields(TOY.fields, more.train) != plain.seen).any()


def asked_first(strategy: str, scene: Scene) -> list[tuple[int, int]]:
    """What is asked for first of all labelled pixels beyond draw 3 of ``kshot:4``."""
    train = drawn("kshot:4", 3).train
    protocol = Asked.parse(f"6x{strategy}:kshot:4", "centre")
    return protocol._ask(scene, train, (TOY.labels > 0) & ~train, [], 3, 5)[:6]


def test_suggest_asks_for_what_the_command_names() -> None:
    base = drawn("kshot:4", 3)
    known = Blind(base.train, np.zeros_like(base.train), base.train_labels, 5)
    rest = (TOY.labels > 0) & ~base.train
    found = suggestions(
        TOY.unlabelled, known, rest, 6, TWO, registry(), seed=3, progress=lambda *_: None
    )

    assert asked_first("suggest", TOY) == [(pick.row, pick.column) for pick in found.picks]


@pytest.mark.parametrize("strategy", ["suggest", "uncertain"])
def test_no_label_is_read_before_it_is_chosen(strategy: str) -> None:
    rest = (TOY.labels > 0) & ~drawn("kshot:4", 3).train
    labels = TOY.labels.copy()
    labels[rest] = np.random.default_rng(0).permutation(labels[rest])

    assert asked_first(strategy, replace(TOY, labels=labels)) == asked_first(strategy, TOY)


def test_a_committee_is_fitted_once_for_all_numbers_of_a_draw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn("asked:4xsuggest:kshot:4")
    monkeypatch.setattr("hsiaug.suggest.asked_protocol.cast_votes", None)

    assert drawn("asked:9xsuggest:kshot:4").asked.sum() == 9
    with pytest.raises(PluginError, match="not callable"):
        drawn("asked:4xsuggest:kshot:4", 1)


def test_the_contract_is_kept_where_a_committee_is_asked() -> None:
    check_protocol("asked:2xsuggest:kshot:4")


def test_the_identity_holds_the_versions_of_the_committee(monkeypatch: pytest.MonkeyPatch) -> None:
    suggest, random = (
        parse_protocol(f"asked:4x{name}:issd").as_json() for name in ("suggest", "random")
    )

    assert (
        "svm 3" in suggest["version"] and "rf 1" in suggest["version"] and "version" not in random
    )


def test_where_too_few_can_be_asked_for_the_draw_says_so() -> None:
    split = drawn("asked:999xuncertain:kshot:4")

    assert split.asked.sum() < 999
    assert f"{split.asked.sum()} of 999 pixels could be asked for" in split.notes


def test_the_argument_is_written_in_one_form() -> None:
    said = {"8xsuggest:issd": "8xsuggest:issd:0.05", "0:kshot:4": "0:kshot:4"}
    for text, canonical in said.items():
        assert Asked.parse(text, "centre").argument == canonical
    assert parse_protocol("within:asked:4xrandom:issd").text == "within:asked:4xrandom:issd:0.05"


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("", "a number up to 999"),
        ("16:issd", "a number up to 999"),
        ("1000xsuggest:issd", "a number up to 999"),
        ("16xsugest:issd", "suggest, random or uncertain"),
        ("16xsuggest:isd", "'isd'"),
        ("16xsuggest:added:2xscattered:issd", "not nested"),
        ("16xsuggest:asked:0:issd", "not nested"),
        ("16xsuggest:hidden:0.5:issd", "not nested"),
    ],
)
def test_what_cannot_be_asked_is_refused(argument: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        parse_protocol(f"asked:{argument}")


def test_labels_are_added_to_asked_ones() -> None:
    asked, more = drawn("asked:4xrandom:kshot:4"), drawn("added:2xscattered:asked:4xrandom:kshot:4")

    assert (more.train >= asked.train).all() and (more.asked == asked.asked).all()
