"""What a protocol is to the core: an identity, a guarded draw, and masks that are checked."""

from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import InputError, PluginError, SplitError
from hsiaug.core.pairs import PairSet
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol, protocol_class
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.tiling import draw_tiles
from hsiaug.registry.card import Card
from hsiaug.registry.protocol_base import Areas, Draw, SplitProtocol
from hsiaug.report.trials import trials_of_records
from hsiaug_builtin.protocols import TARGETS

TOY = toy_scene()
ALL = ("pixels", "segmentation", "change")


class Own(SplitProtocol):
    """Draws what a test hands over."""

    card = Card("own", "1", "What a test hands over", tasks=ALL)
    drawn: Any = None

    def draw(self, scene: Any, seed: int, patch: int) -> Any:
        return self.drawn() if callable(self.drawn) else self.drawn

    draw_tiles = draw


def own(drawn: Any) -> SplitProtocol:
    return type("Own", (Own,), {"drawn": staticmethod(drawn) if callable(drawn) else drawn})(
        "", "none"
    )


def test_the_first_version_of_a_protocol_is_in_no_identity_and_later_ones_are() -> None:
    class Second(Own):
        card = Card("own", "2", "Draws otherwise than before")

    plain = {"name": "own", "argument": "", "buffer": "none"}
    assert Own("", "none").as_json() == plain
    assert Second("", "none").as_json() == {**plain, "version": "2"}


def test_equal_arguments_of_different_protocols_are_different_protocols() -> None:
    assert parse_protocol("random:0.1", "none") != parse_protocol("issd:0.1", "none")


def test_every_built_in_name_is_that_of_its_class() -> None:
    assert [protocol_class(name).card.name for name in TARGETS] == list(TARGETS)


@pytest.mark.parametrize("error", [ZeroDivisionError("no luck"), SystemExit(3)])
def test_what_a_protocol_raises_is_one_error_that_names_it(error: BaseException) -> None:
    def fails() -> None:
        raise error

    said = f"own could not draw on toy.*{type(error).__name__}: {error}"
    with pytest.raises(PluginError, match=said):
        draw_split(TOY, own(fails), 0, 5)


@pytest.mark.parametrize(
    "drawn",
    [
        None,
        Draw(np.ones((2, 2), bool), np.ones((2, 2), bool)),
        Draw(np.ones(TOY.shape, np.int64), np.zeros(TOY.shape, bool)),  # type: ignore[arg-type]
        Draw(None, None),  # type: ignore[arg-type]
    ],
)
def test_masks_that_are_none_are_refused(drawn: Any) -> None:
    with pytest.raises(PluginError, match="own must draw Draw with boolean masks"):
        draw_split(TOY, own(drawn), 0, 5)
    with pytest.raises(PluginError, match="own must draw Areas with boolean masks"):
        draw_tiles(PairSet.of(TOY), own(drawn), 0, 16)


@pytest.mark.parametrize("notes", [(3,), ("x" * 10_001,)])
def test_notes_must_be_sentences(notes: Any) -> None:
    some = np.zeros(TOY.shape, bool)
    with pytest.raises(PluginError, match="must note sentences"):
        draw_split(TOY, own(Draw(some, some, notes)), 0, 5)


@pytest.mark.parametrize(
    "labels",
    [TOY.labels[:2], TOY.labels + np.int16(50), -TOY.labels, TOY.labels.astype(np.int64), "labels"],
)
def test_labels_of_a_draw_are_those_of_the_scenes_classes(labels: Any) -> None:
    none = np.zeros(TOY.shape, bool)
    with pytest.raises(PluginError, match="own must draw labels of the scene's shape and classes"):
        draw_split(TOY, own(Draw(TOY.labels == 1, none, labels=labels)), 0, 5)


def test_training_pixels_without_a_label_are_refused() -> None:
    unlabelled = TOY.labels == 0
    with pytest.raises(SplitError, match="every train pixel must be labelled"):
        draw_split(TOY, own(Draw(unlabelled, np.zeros_like(unlabelled))), 0, 5)


def test_areas_that_meet_are_refused() -> None:
    everywhere = (np.ones(TOY.shape, bool),)
    with pytest.raises(SplitError, match="must not share a pixel"):
        draw_tiles(PairSet.of(TOY), own(Areas(everywhere, everywhere)), 0, 16)


def test_areas_of_a_protocol_are_cut_into_tiles() -> None:
    left = np.zeros(TOY.shape, bool)
    left[:, : TOY.shape[1] // 2] = True
    split = draw_tiles(PairSet.of(TOY), own(Areas((left,), (~left,), tiles=3)), 0, 16)
    assert len(split.train) == 3 and all(
        column + 16 <= TOY.shape[1] // 2 for _, _, column in split.train
    )
    assert split.test and all(column >= TOY.shape[1] // 2 for _, _, column in split.test)


def test_a_protocol_without_an_argument_refuses_one() -> None:
    with pytest.raises(InputError, match="own takes nothing after its name"):
        Own.parse("5", "none")


def test_versions_of_a_protocol_part_the_tables() -> None:
    def record(number: int, **said: str) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "task": "pixels",
            "scene": {"name": "toy", "sha256": "0"},
            "protocol": {"name": "own", "argument": "", "buffer": "none", **said},
            "patch": 5,
            "seed": 0,
            "generator": {"name": "none", "version": "1"},
            "classifier": {"name": "rf", "version": "1"},
            "lambda": 0,
            "omega": None,
        }
        return {"format": 1, "hash": str(number), "status": "failed", "spec": spec}

    first, second = trials_of_records([record(1), record(2, version="2")])["condition"]
    assert first != second
