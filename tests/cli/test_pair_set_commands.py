"""Sets of image–mask pairs on the command line: the card says the task, and every command knows
them.
"""

import io
import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from hsiaug.base.errors import DataUnavailableError, HsiaugError, InputError, SceneError, SplitError
from hsiaug.cli.main import app
from hsiaug.data import load_pairs, load_scene
from hsiaug.trial.store import Store
from tests.docs.small_world import PAIRS
from tests.in_process import run_trials_here

CARD = PAIRS.replace('"pairs"', '"fields"')


@pytest.fixture(autouse=True)
def trials_here(monkeypatch: pytest.MonkeyPatch, few_steps: None) -> None:
    """What is looked at are commands; tests/bench has the processes that trials run in."""
    run_trials_here(monkeypatch)


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    """The card of two places of training and one of test, 40×40 pixels, two dates of three
    bands.
    """
    rng = np.random.default_rng(0)
    for name in "abc":
        for date in ("before", "after"):
            np.save(tmp_path / f"{name}_{date}.npy", rng.random((40, 40, 3)).astype(np.float32))
        np.save(tmp_path / f"{name}_mask.npy", rng.integers(1, 3, (40, 40)).astype(np.uint8))
    (tmp_path / "fields.toml").write_text(CARD)
    return tmp_path / "fields.toml"


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and no network."""
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("hsiaug.data.catalogue._try_mirror", lambda *_: "no connection")
    return tmp_path / "data"


def run(*words: object) -> str:
    answer = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_a_benchmark_reads_the_task_from_the_card(fields: Path) -> None:
    words = ("--generator", "duplicate", "--seeds", "1", "--patch", "16", "--dry-run", "--json")
    plan = json.loads(run("benchmark", fields, *words))
    assert plan["trials"] or plan["runs"]

    with pytest.raises(
        InputError, match="for the task change, as its card says; found task segmentation"
    ):
        run("benchmark", fields, "--task", "segmentation", *words)
    with pytest.raises(InputError, match="Leave the task out, or say change"):
        run("benchmark", fields, "--task", "pixels", *words)


@pytest.mark.parametrize("shape", [(40, 40, 4), (40, 36, 3)])
@pytest.mark.parametrize("command", [("benchmark", "--patch", "16"), ("generate", "--out", "made")])
def test_dates_that_differ_in_bands_or_size_are_one_error(
    fields: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(fields.parent)
    np.save("b_after.npy", np.ones(shape, dtype=np.float32))
    before = sorted(fields.parent.iterdir())
    rows, columns, bands = shape
    found = rf"found \(3, 40, 40\) and \({bands}, {rows}, {columns}\)"
    words = [command[0], fields, *command[1:], "--generator", "duplicate"]
    with pytest.raises(
        SceneError, match=f"both dates of b must have the same bands, height and width; {found}"
    ):
        run(*words)
    assert sorted(fields.parent.iterdir()) == before


def test_a_folder_of_small_pairs_is_told_how_it_can_be_split(tmp_path, monkeypatch):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for i in range(4):
            np.save(
                tmp_path / folder / f"{i}.npy",
                np.full((16, 16, *[3] * (folder == "images")), i % 2, np.uint8),
            )
    card = 'name = "small"\ntask = "segmentation"\n[images]\nfiles = ["{}images/{name}.npy"]\n'
    card += (
        '[masks]\nfiles = ["{}masks/{name}.npy"]\nnames = ["a", "b"]\ncodes = [[0],'
        " [1]]\n[places]\n"
    )
    (tmp_path / "card.toml").write_text(card.replace("{}", "") + 'any = ["*"]\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SplitError, match=r"no test tile .* or folders train and test of places"):
        run("benchmark", "card.toml", "--generator", "duplicate", "--dry-run")
    for side, names in (("train", "012"), ("test", "3")):
        for folder in ("images", "masks"):
            (tmp_path / side / folder).mkdir(parents=True)
            for name in names:
                (tmp_path / folder / f"{name}.npy").rename(tmp_path / side / folder / f"{name}.npy")
    sides = 'train = ["train/*"]\ntest = ["test/*"]\n'
    (tmp_path / "card.toml").write_text(card.replace("{}", "{group}/") + sides)
    assert run("benchmark", "card.toml", "--generator", "duplicate", "--dry-run")


def test_a_suite_reads_the_task_from_the_card(fields: Path) -> None:
    suite = fields.parent / "suite.toml"
    suite.write_text(
        '[defaults]\nscenes = "fields.toml"\ngenerators = "duplicate"\npatch = 16\nseeds = 1\n'
    )
    suite.write_text(suite.read_text() + '[[run]]\nname = "one"\n')
    assert "one\tfields\tplaces\t1\t6\t6" in run("benchmark", "--suite", suite, "--dry-run")

    suite.write_text(suite.read_text() + 'task = "pixels"\n')
    with pytest.raises(InputError, match=r"run 'one'.*for the task change"):
        run("benchmark", "--suite", suite, "--dry-run")


def test_pairs_are_generated_without_naming_the_task(fields: Path) -> None:
    out = fields.parent / "made"
    run("generate", fields, "--generator", "duplicate", "-n", "3", "--out", out)
    assert json.loads((out / "manifest.json").read_text())["pairs"] == 3


@pytest.mark.drawn
def test_a_split_of_pairs_is_drawn_counted_and_pictured(fields: Path) -> None:
    out = fields.parent / "map.png"
    table = fields.parent / "split.md"
    words = ("--patch", "16", "--protocol", "places:5", "--dry-run", "--out", out, "--out", table)
    run("benchmark", fields, *words)
    lines = table.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert ["class", "name", "labelled", "train", "test", "in new fields"] in cells
    assert ["place", "part", "training tiles", "test tiles"] in cells
    tiles = {row[0]: row[1:] for row in cells if row[0] in ("a", "b", "c")}
    assert int(tiles["a"][1]) + int(tiles["b"][1]) == 5 and tiles["c"] == ["test", "0", "9"]
    assert any("0 pixels lie in a training and in a test tile" in line for line in lines)
    with Image.open(out) as image:
        assert image.format == "PNG" and len(image.convert("RGB").getcolors(1 << 24) or ()) > 4


def audit(out: Path, *words: object) -> dict[str, object]:
    """The split as JSON."""
    run("benchmark", *words, "--dry-run", "--out", out)
    return json.loads(out.read_text("utf-8"))  # type: ignore[no-any-return]


def test_a_split_says_the_same_whatever_the_set_is_called(fields: Path, tmp_path: Path) -> None:
    words = (tmp_path / "split.json", fields, "--patch", "16", "--protocol", "places:5")
    first = audit(*words)
    fields.write_text(CARD.replace('"fields"', '"renamed"'))
    assert audit(*words)["sha256"] == first["sha256"]


def test_a_scene_is_split_into_tiles_where_the_task_says_so(tmp_path: Path) -> None:
    tiles = audit(tmp_path / "split.json", "toy", "--task", "segmentation")
    assert tiles["protocol"] == "blocks:24" and tiles["centre_overlap_percent"] == 0
    assert audit(tmp_path / "split.json", "toy")["protocol"] == "issd"


def test_info_describes_a_public_set(no_data: Path) -> None:
    text = run("datasets", "info", "oscd")
    assert "task         change" in text and "status       place by hand" in text
    assert f"folders      {no_data / 'oscd'}" in text
    assert "2\tchanged\t2, 255" in text
    said = run("datasets", "info", "taizhou")
    assert "missing.taizhou 2000TM, 2003TM, unchanged.bmp, change.bmp" in said


def test_info_of_a_set_of_ones_own_names_what_is_missing(fields: Path) -> None:
    assert "status       here\n" in run("datasets", "info", fields)
    (fields.parent / "b_after.npy").unlink()
    text = run("datasets", "info", fields)
    assert "missing.b    b_after.npy" in text


def test_fetch_says_where_a_set_lies_or_which_files_to_put_where(
    fields: Path, no_data: Path
) -> None:
    assert run("datasets", "fetch", fields) == f"fields\t{fields.parent}\n"
    with pytest.raises(DataUnavailableError) as caught:
        run("datasets", "fetch", "taizhou")
    assert (
        f"nothing in {no_data / 'taizhou'} at 2000TM, 2003TM, unchanged.bmp, change.bmp (of"
        " taizhou)" in str(caught.value)
    )


def test_every_missing_file_of_every_place_is_named_with_the_folder(fields: Path) -> None:
    for name in ("a_mask", "c_before", "c_mask"):
        (fields.parent / f"{name}.npy").unlink()
    with pytest.raises(SceneError) as caught:
        run("benchmark", fields, "--dry-run")
    assert f"its files in {fields.parent}" in str(caught.value)
    assert "nothing at c_before.npy, c_mask.npy (of c); a_mask.npy (of a)" in str(caught.value)


def test_what_reads_single_pixels_says_that_a_set_is_no_scene(fields: Path) -> None:
    for ref in ("oscd", fields):
        with pytest.raises(InputError, match=r"needs a scene.*a set of image–mask pairs"):
            load_scene(ref)


def test_advice_on_a_set_divides_its_training_places(
    fields: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock that stands: by their cards, only controls are done within the time.
    monkeypatch.setattr("time.time", lambda: 1e9)
    words = (
        "--classifier",
        "majority",
        "--generator",
        "ldm_single",
        "--budget",
        "60s",
    )
    monkeypatch.chdir(tmp_path)
    run("advise", fields, *words, "--jobs", "1")

    records = Store(tmp_path / "hsiaug-advice").each()
    (argument,) = {record["spec"]["protocol"]["argument"] for record in records}
    assert argument == "places"


def test_a_misspelt_set_is_met_with_the_sets_too() -> None:
    with pytest.raises(InputError, match="Did you mean oscd"):
        run("datasets", "info", "osdc")


def test_add_says_that_sets_are_written_by_hand(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    with pytest.raises(HsiaugError, match=r"a folder.*docs/masks\.md"):
        run("datasets", "add", tmp_path / "images", "--labels", tmp_path / "masks")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "masks"]


def mapped(ref: object, folder: Path, out: str, *words: str) -> str:
    """What ``hsiaug map`` says of the first record without a generator of a small benchmark."""
    store = ("--store", folder / "store")
    usual = ("--generator", "duplicate-balanced", "--lambda", "0.5", "--seeds", "1", "--jobs", "1")
    run("benchmark", ref, *words, *usual, *store)
    records = Store(folder / "store").each()
    kept = next(r for r in records if r["spec"]["generator"]["name"] == "none")
    return run("map", kept["hash"], "--out", folder / out, *store)


def test_a_map_shows_every_place_of_a_set_and_repeats_the_record(
    fields: Path, tmp_path: Path
) -> None:
    said = mapped(fields, tmp_path, "map.npy", "--classifier", "majority", "--patch", "16")

    for name in "abc":
        ids = np.load(tmp_path / f"map_{name}.npy")
        assert ids.shape == (40, 40) and len(np.unique(ids)) == 1 and ids[0, 0] in (1, 2)
        assert (tmp_path / f"map_{name}.png").is_file()
    rows = [line.split("\t") for line in said.splitlines()]
    assert sum(int(row[3]) for row in rows if row[0].isdigit()) == 3 * 40 * 40
    assert "are predicted exactly as in the record" in said and "F1 change" in said


def test_a_scene_is_benchmarked_and_maps_by_a_classifier_of_masks(tmp_path: Path) -> None:
    words = ("--task", "segmentation", "--classifier", "unet", "--preset", "tiny")
    said = mapped("toy", tmp_path, "map.npy", *words, "--device", "cpu")

    rows = pd.read_csv(io.StringIO(run("report", "--store", tmp_path / "store", "--format", "csv")))
    assert {"unet", "majority"} <= set(rows["classifier"]) and rows["miou"].between(0, 1).all()
    scene = load_pairs("toy", "segmentation").places[0]
    ids = np.load(tmp_path / "map.npy")
    assert ids.shape == scene.mask.shape and ids.min() >= 1
    assert "are predicted exactly as in the record" in said


def test_advice_on_masks_is_told_in_the_scores_of_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--classifier", "majority", "--generator", "paste")
    told = run("advise", "toy", *words, "--budget", "10h", "--jobs", "1", "--notes")

    header = next(line for line in told.splitlines() if line.startswith("tried\t"))
    assert header.split("\t")[7:10] == ["mIoU", "ΔmIoU", "interval"]
    protocol = next(Store(tmp_path / "hsiaug-advice").each())["spec"]["protocol"]
    assert protocol["name"] == "within" and protocol["argument"].startswith("blocks:")
    assert "mIoU without samples: majority " in told


def test_the_commands_of_an_advice_on_masks_run_as_they_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--classifier", "majority", "--generator", "paste")
    told = run("advise", "toy", *words, "--budget", "0.001s", "--json", "--jobs", "1")
    commands = json.loads(told)["commands"]

    assert commands.keys() == {"map", "test"}
    run(*shlex.split(commands["map"])[1:])
    assert Path("map.tif").is_file()
    run(*shlex.split(commands["test"])[1:], "--dry-run")
