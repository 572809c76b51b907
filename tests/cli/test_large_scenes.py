"""A scene that stays on disk, benchmarked and mapped as a user does it: all as of one in memory, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spectral.io import envi

from hsiaug.data import toy_scene
from hsiaug.trial.store import Store
from tests.cli.test_map import typed
from tests.in_process import run_trials_here

RUN = (
    "--generator",
    "smote",
    "--classifier",
    "rf",
    "--view",
    "raw,unit",
    "--patch",
    "3",
    "--seeds",
    "1",
    "--jobs",
    "1",
)


def results(store: Path) -> dict[str, Any]:
    """What records say of the values, by hash."""
    return {
        record["hash"]: [record[key] for key in ("status", "metrics", "predictions_sha256", "samples", "audit")]
        for record in Store(store).records()
    }


def test_records_and_maps_do_not_depend_on_where_the_cube_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    envi.save_image(str(tmp_path / "flight.hdr"), scene.cube, ext=".img", interleave="bsq")
    np.save(tmp_path / "labels.npy", scene.labels)
    monkeypatch.setenv("HSIAUG_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")
    typed(tmp_path, "datasets", "add", "flight.hdr", "--labels", "labels.npy", "--classes", "hay,rye,track")
    typed(tmp_path, "benchmark", "flight.toml", *RUN, "--store", "large")
    with monkeypatch.context() as patch:
        patch.setenv("HSIAUG_CUBE_MEMORY", "1024")
        run_trials_here(patch)
        typed(tmp_path, "benchmark", "flight.toml", *RUN, "--store", "small")
    large, small = (results(tmp_path / name) for name in ("large", "small"))

    assert large == small and len(small) >= 4
    assert {values[0] for values in large.values()} == {"ok"}
    assert len(list((tmp_path / "cache" / "cubes").glob("*.npy"))) == 1
    record = next(one for one in small if large[one][3]["synthetic"] != [0, 0, 0])
    # The map says so itself where it repeats the record's predictions.
    said = typed(tmp_path, "map", "flight.toml", "--record", record, "--store", "small", "--out", "map.npy")
    assert "test pixels come out exactly as in the record" in said
