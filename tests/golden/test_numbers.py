"""The numbers of two stores: a change of the house changes none of them.

``indian_pines`` is a benchmark of seven splits, four generators and three classifiers, ``masks``
one of segmentation. ``NAME.jsonl.gz`` has the records, a line each; ``NAME.trials.csv`` what
``hsiaug report --format csv`` has of each trial, and ``NAME.gains.csv`` what ``--by gain`` has of
each configuration over each of its controls. Means, differences, intervals and p of these files
were recomputed from the records without hsiaug.
"""

import gzip
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.third_party import hsiaug

HERE = Path(__file__).parent
STORES = ("indian_pines", "masks")
KEYS = ["generator", "lambda", "times", "omega", "classifier", "over"]


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the records of a file."""
    folder = tmp_path_factory.mktemp("golden") / request.param
    with gzip.open(HERE / f"{request.param}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            name = json.loads(line)["hash"]
            record = folder / "records" / name[:2] / name / "record.json"
            record.parent.mkdir(parents=True)
            record.write_text(line, encoding="utf-8")
    return folder


def _rows_of_report(store: Path, *options: str) -> pd.DataFrame:
    done = hsiaug("report", "--store", str(store), "--format", "csv", *options)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(io.StringIO(done.stdout))


def test_trials_have_the_values_of_their_records(store: Path) -> None:
    expected = pd.read_csv(HERE / f"{store.name}.trials.csv").set_index("hash")
    found = _rows_of_report(store).set_index("hash")
    pd.testing.assert_frame_equal(found.loc[expected.index, expected.columns], expected)


def test_gains_intervals_and_p_are_those_that_were_recomputed(store: Path) -> None:
    expected = pd.read_csv(HERE / f"{store.name}.gains.csv").set_index(KEYS).sort_index()
    found = _rows_of_report(store, "--by", "gain").set_index(KEYS).sort_index()
    # Gains over a baseline stand there too.
    found = found.loc[found.index.isin(expected.index), expected.columns]
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-9)
