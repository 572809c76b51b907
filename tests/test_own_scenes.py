"""A scene of one's own from Python, from arrays to a map, by the code of the commands."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hsiaug
from hsiaug.base.errors import DataUnavailableError, InputError
from hsiaug.data import toy_scene
from tests.in_process import run_trials_here

TOY = toy_scene()

pytestmark = pytest.mark.usefixtures("blank_pictures")


def test_arrays_become_a_scene_and_the_scene_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch)
    with contextlib.chdir(tmp_path):
        added = hsiaug.add_scene(
            TOY.cube, TOY.labels, "farm", classes=TOY.class_names, wavelengths=TOY.wavelengths
        )
        assert added.files[0] == Path("farm.toml") and Path("farm_look.png").is_file()
        scene = hsiaug.load_scene("farm.toml")
        assert np.array_equal(scene.cube, TOY.cube) and np.array_equal(scene.labels, TOY.labels)
        assert (
            np.allclose(scene.wavelengths, TOY.wavelengths) and scene.class_names == TOY.class_names
        )
        run = hsiaug.benchmark(
            "farm.toml",
            "none",
            "svm",
            times=0,
            protocol="kshot:5",
            patch=3,
            seeds=1,
            jobs=1,
            progress=False,
        )
        (record,) = run.frame().query("classifier == 'svm' and status == 'ok'").hash
        made = hsiaug.map_scene("farm.toml", record, progress=False)
        assert [path.name for path in made.save("map.npy")] == ["map.npy", "map.png"]
        both = made.save_all([Path("map.npy"), Path("map.hdr")])
        assert [path.name for path in both] == ["map.npy", "map.hdr", "map.img", "map.png"]
        assert made.save("map.svg") == [Path("map.svg")] and b"<svg" in Path("map.svg").read_bytes()
        assert np.array_equal(np.load("map.npy"), made.ids) and made.ids.shape == scene.shape
    assert made.frame().pixels.sum() == made.ids.size and made.frame().train.tolist() == [5] * 5
    assert "exactly as in the record" in made.remarks()[0]
    assert made.plot().get_figwidth() == 7.2
    assert made.plot().get_label().startswith("farm: svm with no synthetic samples, record")
    assert "farm: svm with no synthetic samples" in made.plot().axes[0].get_title()


def test_a_scene_goes_through_xarray_and_back(tmp_path: Path) -> None:
    pytest.importorskip("xarray", reason="xarray is not installed: pip install -e '.[xarray]'")
    made = TOY.to_xarray()
    assert made.cube.dims == ("y", "x", "wavelength") and made.attrs["class_names"] == list(
        TOY.class_names
    )
    assert np.array_equal(made.cube.wavelength, TOY.wavelengths) and made.wavelength.units == "nm"
    assert np.array_equal(made.cube, TOY.cube) and np.array_equal(made.labels, TOY.labels)

    again = hsiaug.add_scene(
        made.cube.transpose(), made.labels, "farm", folder=tmp_path, classes=made.class_names
    ).scene
    assert np.array_equal(again.cube, np.swapaxes(TOY.cube, 0, 1))
    assert again.wavelengths == pytest.approx(TOY.wavelengths)
    assert again.class_counts.tolist() == TOY.class_counts.tolist()
    without = dataclasses.replace(TOY, wavelengths=None).to_xarray().cube
    assert without.dims == ("y", "x", "band")


def test_without_xarray_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(DataUnavailableError, match=r"needs xarray.*pip install xarray"):
        TOY.to_xarray()


def test_nothing_is_left_behind_of_a_scene_that_is_none_and_nothing_is_replaced(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match="needs a name"):
        hsiaug.add_scene(TOY.cube, TOY.labels)
    with pytest.raises(InputError):
        hsiaug.add_scene(TOY.cube, TOY.labels, "farm", classes=["one"], folder=tmp_path)
    assert not any(tmp_path.iterdir())
    np.save(tmp_path / "farm_cube.npy", TOY.cube)
    with pytest.raises(InputError, match="overwrite=True"):
        hsiaug.add_scene(TOY.cube, TOY.labels, "farm", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["farm_cube.npy"]


def added(folder: Path, cube: np.ndarray, **options: object) -> hsiaug.Scene:
    return hsiaug.add_scene(
        cube, TOY.labels, "farm", folder=folder, overwrite=True, **options
    ).scene


def in_folder(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_scene_that_is_refused_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    added(tmp_path, TOY.cube)
    before = in_folder(tmp_path)

    with pytest.raises(InputError):
        added(tmp_path, TOY.cube + 1, classes=["one"])
    assert in_folder(tmp_path) == before


def test_a_kill_at_any_step_leaves_the_old_scene_or_the_new_one(tmp_path, monkeypatch):
    class Killed(BaseException):
        """The process ends here."""

    monkeypatch.setattr(
        "hsiaug.own_scenes.save_quick_look", lambda scene, path: path.write_bytes(b"a picture")
    )
    old, new = TOY.cube, TOY.cube[::-1] + 1
    seen = []
    for last in range(100):
        folder = tmp_path / str(last)
        folder.mkdir()
        added(folder, old)
        with monkeypatch.context() as patch:
            steps = itertools.count()

            def stepped(
                do: Callable[..., object], last: int = last, steps: Iterator[int] = steps
            ) -> Any:
                def step(*words: object, **options: object) -> object:
                    if next(steps) >= last:
                        raise Killed
                    return do(*words, **options)

                return step

            for name in ("rename", "replace", "link", "unlink", "rmdir"):
                patch.setattr(os, name, stepped(getattr(os, name)))
            with contextlib.suppress(Killed):
                added(folder, new)
                break
        found = hsiaug.load_scene(folder / "farm.toml")
        seen.append([np.array_equal(found.cube, cube) for cube in (old, new)])
    assert seen == sorted(seen, reverse=True) and {*map(tuple, seen)} == {
        (True, False),
        (False, True),
    }
    assert np.array_equal(np.load(folder / "farm_cube.npy"), new) and not list(folder.glob(".*"))


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", "/tmp/x", "a\\b", "a\0b", "é" * 101, 3])
def test_a_name_is_no_path(tmp_path: Path, name: Any) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match="name must be"):
        hsiaug.add_scene(TOY.cube, TOY.labels, name, folder=tmp_path / "in")
    assert in_folder(tmp_path) == {}
