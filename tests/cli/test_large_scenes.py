"""A scene that stays on disk, benchmarked and mapped as a user does it: all as of one in memory, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spectral.io import envi

from hsiaug.data import toy_scene
from hsiaug.trial.store import Store
from tests.cli.test_map import hash_of, typed
from tests.in_process import run_trials_here

RUN = ("--generator", "smote", "--classifier", "rf", "--patch", "3", "--seeds", "1", "--jobs", "1")


def results(folder: Path) -> dict[str, Any]:
    """What records say of the values, by hash."""
    return {
        record["hash"]: [record[key] for key in ("status", "metrics", "predictions_sha256", "samples", "audit")]
        for record in Store(folder / "hsiaug-results").records()
    }


def test_records_and_maps_do_not_depend_on_where_the_cube_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    monkeypatch.setenv("HSIAUG_CACHE_DIR", str(tmp_path / "cache"))
    found, maps = {}, {}
    for name, memory in (("small", "1024"), ("large", "0")):
        monkeypatch.setenv("HSIAUG_CUBE_MEMORY", memory)
        folder = tmp_path / name
        folder.mkdir()
        envi.save_image(str(folder / "flight.hdr"), scene.cube, ext=".img", interleave="bsq")
        np.save(folder / "labels.npy", scene.labels)
        typed(folder, "datasets", "add", "flight.hdr", "--labels", "labels.npy", "--classes", "hay,rye,track")
        with monkeypatch.context() as patch:
            if name == "small":
                run_trials_here(patch)
            typed(folder, "benchmark", "flight.toml", *RUN)
        found[name] = results(folder)
        typed(folder, "map", "flight.toml", "--record", hash_of(folder, "smote"), "--out", "map.npy")
        maps[name] = np.load(folder / "map.npy")

    assert found["large"] == found["small"] and len(found["small"]) >= 4
    assert {values[0] for values in found["large"].values()} == {"ok"}
    assert np.array_equal(maps["large"], maps["small"])
    assert len(list((tmp_path / "cache" / "cubes").glob("*.npy"))) == 1
