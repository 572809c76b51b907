"""TIFF and ENVI files of random makeup hold what GDAL and spectral read."""

from pathlib import Path

import pytest

from benchmarks.faults.foreign_files import KINDS, check, library_of_gdal


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", range(0, 60, 20))
def test_numbers_and_missing_data_are_those_of_other_libraries(
    kind: str, start: int, tmp_path: Path
) -> None:
    if kind == "attribute tables" and library_of_gdal() is None:
        pytest.skip("rasterio comes without a library of GDAL of its own")
    outcomes = {seed: check(kind, seed, tmp_path) for seed in range(start, start + 20)}
    assert {seed: outcome for seed, outcome in outcomes.items() if outcome != "alike"} == {}
