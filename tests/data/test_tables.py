"""Tables with a row for each pixel are cubes."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import SceneError
from hsiaug.data import load_scene, toy_scene
from hsiaug.data.readers import read_cube_file
from tests.in_process import hsiaug

FARM = toy_scene(seed=3, height=40, width=32, bands=6, classes=3)
NM = np.linspace(420, 970, 6).round(2)


def frame_of(cube: np.ndarray, names: list[str], *, coordinates: bool = False) -> pd.DataFrame:
    """A row for each pixel of (H, W, B)."""
    rows, columns = (axis.ravel() for axis in np.indices(cube.shape[:2]))
    place = {"row": rows, "col": columns}
    if coordinates:
        place = {"x": 500002.5 + 5 * columns, "y": 5399997.5 - 5 * rows}
    bands = dict(zip(names, cube.reshape(-1, cube.shape[2]).T, strict=True))
    return pd.DataFrame({**place, **bands})


def write(frame: pd.DataFrame, path: Path, separator: str = ",", decimal: str = ".") -> None:
    frame.to_csv(path, index=False, sep=separator, decimal=decimal)


@given(
    size=st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4)),
    ending=st.sampled_from([".csv", ".tsv"]),
    coordinates=st.booleans(),
    decimal=st.sampled_from([".", ","]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None, database=None)
def test_a_table_in_any_order_is_the_cube_that_was_written(
    size, ending, coordinates, decimal, seed
) -> None:
    rng = np.random.default_rng(seed)
    cube = rng.random(size).astype(np.float32)
    names = [f"{400 + 10 * band}.5" for band in range(size[2])]
    frame = frame_of(cube, names, coordinates=coordinates)
    frame["site"] = "field"
    frame = frame.sample(frac=1, random_state=seed)
    corners = {(0, 0), (size[0] - 1, size[1] - 1)}
    absent = [] if len(frame) < 6 or coordinates else [(1, 0)] if size[0] > 2 else []
    for row, column in absent:
        assert (row, column) not in corners
        frame = frame[(frame["row"] != row) | (frame["col"] != column)]
        cube[row, column] = np.nan
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"c{ending}"
        write(frame, path, ";" if decimal == "," else ",", decimal)
        raw = read_cube_file(path)
    np.testing.assert_allclose(raw.array, cube, rtol=1e-6)
    np.testing.assert_allclose(raw.wavelengths, [float(name) for name in names])
    assert any("columns that are no band: site" in note for note in raw.notes)


@pytest.mark.parametrize("coordinates", [False, True])
def test_one_table_holds_cube_and_labels(tmp_path: Path, coordinates: bool) -> None:
    cube = FARM.cube[:30, :20]
    frame = frame_of(cube, [f"{nm}" for nm in NM], coordinates=coordinates)
    words = np.array([None, "hay", "Öde", "rye"], dtype=object)
    frame["class"] = words[FARM.labels[:30, :20].ravel()]
    write(frame, tmp_path / "plots.csv")
    name = "plots.csv"
    done = hsiaug("datasets", "add", name, "--labels", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    scene = load_scene(tmp_path / "plots.toml")
    np.testing.assert_allclose(scene.cube, cube, rtol=1e-6)
    np.testing.assert_allclose(scene.wavelengths, NM)
    names = np.array([None, *scene.class_names], dtype=object)
    assert np.array_equal(names[scene.labels], words[FARM.labels[:30, :20]])


@pytest.mark.parametrize(
    ("names", "centres"),
    [
        (["b1", "b2", "b3"], None),
        (["1", "2", "3"], None),
        (["450 nm", "500 nm", "550 nm"], [450, 500, 550]),
        (["X0.45", "X0.5", "X0.55"], [450, 500, 550]),
        (["R450", "R500", "R550"], [450, 500, 550]),
    ],
)
def test_names_of_columns_are_centres_or_numbers_of_bands(tmp_path, names, centres) -> None:
    write(frame_of(FARM.cube[:4, :4, :3], names), tmp_path / "c.csv")
    found = read_cube_file(tmp_path / "c.csv").wavelengths
    assert (found is None) if centres is None else np.allclose(found, centres)


def test_a_table_that_is_no_grid_is_refused(tmp_path: Path) -> None:
    frame = frame_of(FARM.cube[:4, :4, :3], ["b1", "b2", "b3"], coordinates=True)
    path = tmp_path / "c.csv"
    frame.loc[5, "x"] += 1.7
    write(frame, path)
    with pytest.raises(SceneError, match="must lie on a regular grid"):
        read_cube_file(path)
    frame = frame_of(FARM.cube[:4, :4, :3], ["b1", "b2", "b3"])
    write(pd.concat([frame, frame[3:4]]), path)
    with pytest.raises(SceneError, match="found row 0, column 3 2 times"):
        read_cube_file(path)
    write(frame.drop(columns=["row"]), path)
    with pytest.raises(SceneError, match="must have columns row,col or x,y"):
        read_cube_file(path)
