"""What a scene is called decides nothing: draws follow the labels. Those of public scenes stay as
they were.
"""

import csv
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.pairs import PairSet, Place
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.tiling import draw_tiles
from hsiaug.registry.lookup import Registry
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.trial.spec import OMEGA_CONVENTION, PluginSpec, TrialSpec, short_hash

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def own(name: str, seed: int = 1) -> Scene:
    """A scene of one's own."""
    made = toy_scene(seed=seed)
    return Scene(name, made.cube, made.labels, made.class_names)


def test_labels_that_change_are_drawn_otherwise() -> None:
    scene = own("farm")
    labels = scene.labels.copy()
    labels.flat[np.flatnonzero(labels)[0]] = 0
    assert replace(scene, labels=labels).drawn_as != scene.drawn_as


def test_the_same_masks_under_other_names_are_split_alike() -> None:
    def pairs(name: str) -> PairSet:
        rng = np.random.default_rng(0)
        sides = (("x", "train"), ("y", "train"), ("z", "test"))
        images = [rng.random((1, 3, 40, 40)).astype(np.float32) for _ in sides]
        masks = [rng.integers(0, 3, (40, 40)).astype(np.int16) for _ in sides]
        rows = zip(sides, images, masks, strict=True)
        return PairSet(name, tuple(Place(n, i, m, part) for (n, part), i, m in rows), ("a", "b"))  # type: ignore[arg-type]

    protocol = parse_protocol("places:6")
    assert (
        draw_tiles(pairs("one"), protocol, 1, 16).train
        == draw_tiles(pairs("two"), protocol, 1, 16).train
    )


def test_records_tell_draws_by_labels_from_draws_by_name(plugins: Registry, toy: Scene) -> None:
    def trial(scene: Scene) -> TrialSpec:
        request = read_request(
            seeds=[0], generators=["dummy"], classifiers=["nearest"], patch=5, preset="tiny"
        )
        return build_plan(scene, request, plugins).trials[0]

    assert "draws" not in trial(toy).as_json()
    said = trial(own("farm")).as_json()
    # Records that were drawn by the name have no such key, so that they are never taken for these.
    assert said["draws"] == own("other").drawn_as != "farm"
    assert trial(own("farm")).hash != replace(trial(own("farm")), draws=None).hash
    assert "draws" not in trial(replace(own("farm"), draws="farm")).as_json()


TOY = {
    ("issd", 0): "065d27ee418c7a9d",
    ("issd", 3): "f31ef7d7d1f53ce9",
    ("random:0.1", 0): "72108ccf1fa02fc4",
    ("blocks:8", 0): "e5fadaed43fdcde8",
    ("within:issd", 0): "c75dd7db5279076d",
}


@pytest.mark.parametrize(("text", "seed"), TOY)
def test_the_draws_of_the_toy_scene_stay(toy: Scene, text: str, seed: int) -> None:
    assert draw_split(toy, parse_protocol(text), seed, 9).audit.sha256[:16] == TOY[text, seed]


def test_the_tiles_of_the_toy_scene_stay(toy: Scene) -> None:
    split = draw_tiles(PairSet.of(toy), parse_protocol("blocks:24"), 0, 16)
    assert split.audit.sha256[:16] == "6a25641f0c32578a"


def test_blocks_take_so_many_training_tiles_at_random_beside_the_same_test_tiles(
    toy: Scene,
) -> None:
    whole, two, three = (
        draw_tiles(PairSet.of(toy), parse_protocol(f"blocks:24{n}"), 0, 16)
        for n in ("", "x2", "x3")
    )
    assert two.test == three.test == whole.test
    assert [len(split.train) for split in (two, three)] == [2, 3]
    assert {*two.train, *three.train} <= {*whole.train}


def test_blocks_of_single_pixels_refuse_a_number_of_tiles(toy: Scene) -> None:
    with pytest.raises(InputError, match="number of training tiles is for masks"):
        draw_split(toy, parse_protocol("blocks:8x2"), 0, 9)


def test_labels_of_a_public_scene_are_known_under_any_name(toy: Scene) -> None:
    copy = Scene("mine", toy.cube, toy.labels, toy.class_names)
    assert copy.drawn_as == "toy"


def committed() -> Iterator[dict[str, str]]:
    """Every committed record that has a split."""
    for path in sorted(RESULTS.glob("*/*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from (row for row in csv.DictReader(file) if row.get("split_sha256"))


def protocol_of(row: dict[str, str]) -> SplitProtocol:
    return parse_protocol(
        f"{row['protocol']}:{row['protocol_argument']}".removesuffix(":"), row["buffer"]
    )


@pytest.mark.indian_pines
def test_the_committed_records_of_indian_pines_have_their_draws(indian_pines: Scene) -> None:
    rows = {
        (row["protocol"], row["protocol_argument"], row["buffer"], row["patch"], row["seed"]): row
        for row in committed()
        if row["scene"] == "indian_pines" and row["task"] == "pixels"
    }
    assert len(rows) > 20
    for row in rows.values():
        split = draw_split(indian_pines, protocol_of(row), int(row["seed"]), int(row["patch"]))
        assert (split.audit.sha256, indian_pines.sha256) == (
            row["split_sha256"],
            row["scene_sha256"],
        )


@cache
def plugin(name: str, version: str, text: str) -> PluginSpec:
    params: dict[str, Any] = json.loads(text)
    return PluginSpec(name, version, dataclasses.make_dataclass("Params", params.keys())(**params))


def test_committed_records_have_the_hash_of_their_trials() -> None:
    """Of those that can be told from the table: records of generators that read text hold more."""
    checked = 0
    for row in committed():
        if row["generator"] == "txt2hsi":
            continue
        omega = float(row["omega"]) if row["omega"] else None
        assert row["omega_convention"] in ("", OMEGA_CONVENTION)
        spec = TrialSpec(
            task=row["task"],
            scene=row["scene"],
            scene_sha256=row["scene_sha256"],
            protocol=protocol_of(row),
            patch=int(row["patch"]),
            seed=int(row["seed"]),
            generator=plugin(row["generator"], row["generator_version"], row["generator_params"]),
            classifier=plugin(
                row["classifier"], row["classifier_version"], row["classifier_params"]
            ),
            rate=Rate(float(row["lambda"])),
            omega=omega,
            draws=row["scene"],
            view=row.get("view") or "raw",
        )
        assert short_hash(spec.as_json()) == row["hash"]
        checked += 1
    assert checked > 100
