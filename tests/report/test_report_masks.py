"""Masks on the page and in comparisons: the places of a set of pairs, drawn and resampled one by
one.
"""

import base64
import csv
import io
from pathlib import Path

import numpy as np
import pytest
from html_pages import parsed
from PIL import Image
from report_records import audit_of, hash_of, record

from hsiaug.core.pairs import PairSet
from hsiaug.data import load_pairs
from hsiaug.metrics.accuracy import confusion, dense_score
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import draw_tiles
from hsiaug.report import build_report, render_html, render_report
from hsiaug.report.paper import methods_paragraph
from hsiaug.report.two_arms import compare_arms, comparison_tables
from hsiaug.report.views import report_sections
from hsiaug.trial.store import Store

CARD = """
name = "fields"
task = "segmentation"

[images]
files = ["{place}_image.npy"]
[masks]
files = ["{place}_mask.npy"]
names = ["low", "high"]
ignore = [0]
[places]
train = ["a"]
test = ["b", "c", "d"]
"""
TILE = 16


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four places of 80 columns; of the tested ones d is the smallest, and b ends in the middle of
    a block.
    """
    folder = tmp_path_factory.mktemp("fields")
    rng = np.random.default_rng(0)
    for name, height in (("a", 64), ("b", 56), ("c", 48), ("d", 32)):
        mask = rng.integers(0, 3, (height // 8, 10)).repeat(8, 0).repeat(8, 1).astype(np.int16)
        np.save(folder / f"{name}_mask.npy", mask)
        np.save(folder / f"{name}_image.npy", rng.random((height, 80, 3)).astype(np.float32))
    path = folder / "fields.toml"
    path.write_text(CARD)
    return path


@pytest.fixture(scope="module")
def pairs(card: Path) -> PairSet:
    return load_pairs(card, "segmentation")


def flat_mask(pairs: PairSet) -> np.ndarray:
    """The masks of all places, place by place and row by row, as predictions are."""
    return np.concatenate([place.mask.ravel() for place in pairs.places])


@pytest.fixture(scope="module")
def kept(card: Path, pairs: PairSet, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two draws: none is wrong at a third of the test pixels, specdm at a fifth."""
    store = Store(tmp_path_factory.mktemp("kept"), create=True)
    for seed in (0, 1):
        split = draw_tiles(pairs, parse_protocol("places"), seed, TILE)
        tested = np.concatenate([mask.ravel() for mask in split.tested])
        index = np.flatnonzero(tested & (flat_mask(pairs) > 0))
        true = flat_mask(pairs)[index]
        for generator, every in (("none", 3), ("specdm", 5)):
            called = true.copy()
            called[::every] = true[::every] % 2 + 1
            made = record(
                scene="fields",
                patch=TILE,
                generator=generator,
                classifier="unet",
                seed=seed,
                protocol=("places", "", "centre"),
                audit=split.audit.as_json(),
            )
            made["spec"]["task"] = "segmentation"
            made["hash"] = hash_of(made["spec"])
            made["metrics"] = dense_score(confusion(true, called, 2), change=False)
            made |= {"scene_ref": str(card), "class_names": ["low", "high"]}
            store.put(made, (index.astype(np.int32), called.astype(np.int16)))
    return store


def test_without_images_there_are_the_same_masks_and_the_same_draw(
    card: Path, pairs: PairSet
) -> None:
    bare = load_pairs(card, "segmentation", masks_only=True)
    assert np.array_equal(flat_mask(bare), flat_mask(pairs))
    draws = [
        draw_tiles(p, parse_protocol("blocks:16"), 0, TILE).audit.sha256 for p in (bare, pairs)
    ]
    assert draws[0] == draws[1]
    assert bare.places[0].images.base is not None and bare.places[0].images.strides == (0, 0, 0, 0)


def masks(seed: int, generator: str, wrong: float, tested: tuple[int, ...]) -> dict:
    """A record of masks of three classes: of each so many test pixels, of which a share is taken
    for the next one.
    """
    matrix = np.zeros((3, 3), np.int64)
    for i, number in enumerate(tested):
        matrix[i, (i + 1) % 3] = round(wrong * number)
        matrix[i, i] = number - matrix[i, (i + 1) % 3]
    made = record(
        generator=generator,
        seed=seed,
        audit=audit_of(
            seed,
            test_counts=list(tested),
            lost_classes=[c for c, n in enumerate(tested, start=1) if not n],
        ),
    )
    made["spec"]["task"] = "segmentation"
    made["metrics"] = dense_score(matrix, change=False)
    return made


def test_the_methods_of_masks_have_pairs_for_lambda_and_name_each_control() -> None:
    names = ("none", "duplicate", "duplicate-balanced", "smote")
    records = [masks(seed, name, 0.1, (40, 30, 20)) for seed in range(6) for name in names]
    (table,) = build_report(records).tables
    said = methods_paragraph(table)
    assert "synthetic pairs for each real one was λ = 1, which added 16 to 20 real labelled" in said
    assert "the controls were none, duplicate and duplicate-balanced, on the same draws." in said
    assert (
        "for 2 comparisons over none, 3 over other controls and 1 of duplicate over none (arms of the control"
        " duplicate-balanced among them);"
    ) in said


def test_the_methods_of_masks_have_tiles_classes_without_training_and_every_classifier() -> None:
    names = ("none", "duplicate", "smote")
    records = [masks(seed, name, 0.1, (40, 30, 20)) for seed in range(2) for name in names]
    # Its run was stopped before it had samples of smote.
    for name in ("none", "duplicate"):
        made = masks(0, name, 0.1, (40, 30, 20))
        made["spec"]["classifier"]["name"] = "unet"
        records.append(made)
    for made in records:
        first = made["spec"]["seed"] == 0
        made["hash"] = hash_of(made["spec"])
        made["audit"] |= {"train_counts": [0 if first else 5, 12, 3]}
        made["audit"] |= {"notes": [f"{20 if first else 30} training tiles of 9×9; 4 test tiles"]}
    said = methods_paragraph(build_report(records).tables[0])
    assert said.startswith("We measured smote with svm in segmentation on the scene")
    assert "With unet only controls have run." in said
    assert "Draws have 20–30 training tiles of 9×9; 4 test tiles." in said
    assert "Without a training pixel these count 0: alfalfa (seed 0)." in said
    assert "ran too" not in said
    alone = methods_paragraph(build_report(records[:3]).tables[0])
    assert "The draw (seed 0) of the protocol issd:0.05 has" in alone
    assert "with svm on the scene" in methods_paragraph(build_report([record()]).tables[0])


def test_masks_have_the_iou_of_every_class_and_say_which_classes_their_means_are_over() -> None:
    drawn = [(40, 30, 20), (40, 30, 0)]
    records = [
        masks(seed, generator, wrong, tested)
        for seed, tested in enumerate(drawn)
        for generator, wrong in (("none", 0.5), ("smote", 0.2))
    ]
    report = build_report(records)
    (table,) = report.tables
    by_class = render_report(report, "md", "class")
    assert "### IoU per class, svm" in by_class and "### Recall per class, svm" in by_class
    iou = [made["metrics"]["iou"][0] for made in records]
    row = next(line for line in by_class.splitlines() if line.startswith("| 1 "))
    means = [100 * np.mean(iou[::2]), 100 * np.mean(iou[1::2])]
    assert all(f"| {mean:.1f} ± " in row for mean in means)
    rows = list(csv.DictReader(io.StringIO(render_report(report, "csv", "class"))))
    assert [float(one["iou"] or "nan") for one in rows[:3]] == pytest.approx(
        np.array(records[0]["metrics"]["iou"], float)
    )
    names = table.class_names
    said = (
        "mIoU and macro-F1: means over the classes with test pixels in a draw, 2–3 of 3; no test"
        f" pixel: {names[2]} (seed 1). A class with fewer than 25 test pixels counts as any other:"
        f" {names[2]} (seed 0)."
    )
    page = " ".join(parsed(render_html(report)).text.split())
    assert said in by_class and said in render_report(report, "md") and said in page
    (trials,) = report_sections(report, "seed")[0].parts
    (grid,) = trials.grids
    place = [column.header for column in grid.columns].index("classes")
    assert [row[place].text for row in grid.rows] == ["3", "3", "2", "2"]
    compared = comparison_tables(compare_arms(report, "none/svm", "smote/svm"), "results")
    headings = [grid.heading for grid in compared.sections[0].tables]
    assert headings[-2:] == ["IoU per class", "Recall per class"]
    same = [masks(seed, "none", 0.5, (40, 30, 30)) for seed in (0, 1)]
    assert "means over the classes with" not in render_report(build_report(same), "md", "class")


@pytest.mark.parametrize(("times", "said"), [(1, 0), (10, 2)])
def test_pixels_that_lie_in_several_tiles_are_said_to_count_in_each(times: int, said: int) -> None:
    records = [masks(0, generator, 0.5, (40, 30, 30)) for generator in ("none", "smote")]
    for made in records:
        made["samples"] = {"real": [5 * times, 12 * times, 3 * times], "synthetic": [7, 0, 9]}
    text = render_report(build_report(records), "md")
    assert f"beside {20 * times} real" in text and "20 training and" in text
    assert text.count("these count a training pixel once in each tile that holds it") == said


def test_the_largest_tested_places_are_drawn_with_split_and_classes(
    kept: Store, pairs: PairSet
) -> None:
    page = parsed(render_html(build_report(list(kept.records()), store="results"), kept))
    found = {}
    for figure in page.all("figure", **{"class": "map"}):
        data = figure.all("img")[0].attributes["src"].removeprefix("data:image/png;base64,")
        found[figure.all("figcaption")[0].text] = np.asarray(
            Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
        )
    assert [name.split(", ")[-1] for name in found][:8] == ["b", "b", "c", "c"] + ["b", "c"] * 2
    assert "Of 4 places the 2 with most test pixels are drawn." in page.text

    drawn = next(
        image for name, image in found.items() if name.startswith("none") and name.endswith(", c")
    )
    wrong = (drawn[..., :3] != found["true classes, c"][..., :3]).any(axis=-1) & (drawn[..., 3] > 0)
    first = pairs.offsets[2]
    index = np.flatnonzero(flat_mask(pairs)[pairs.offsets[1] :] > 0) + pairs.offsets[1]
    expected = [i - first for i in index[::3] if first <= i < pairs.offsets[3]]
    assert list(np.flatnonzero(wrong)) == expected


def test_masks_have_a_third_control_that_old_records_lack(kept: Store) -> None:
    report = build_report(list(kept.records()))
    assert report.tables[0].controls == ("none", "duplicate", "duplicate-balanced")
    text = render_report(report, "md")
    assert "duplicate-balanced is a further control" in text


def test_masks_are_cut_into_tiles_and_pixels_into_patches() -> None:
    report = build_report([masks(0, name, 0.1, (40, 30, 20)) for name in ("none", "smote")])
    (table,) = report.tables
    text = render_report(report, "md")
    assert ", 9×9 tiles, segmentation" in table.title
    assert "- **overlap**: 0.0 % of test pixels lie in a 9×9 training tile\n" in text
    assert "Not leaky: no test pixel lies in a training tile" in text
    assert "lie inside a 9×9 training tile." in methods_paragraph(table)
    assert "patch" not in text
    pixels = render_report(build_report([record()]), "md")
    assert "9×9 patches, pixels" in pixels and "lies in the patch of a training pixel" in pixels


def test_the_audit_has_one_line_of_tiles_and_no_classes_of_places_that_are_not_there() -> None:
    records = [masks(seed, "none", 0.1, (40, 30, 20)) for seed in range(3)]
    for made, trained in zip(records, (93, 81, 225), strict=True):
        tiles = f"{trained} training tiles of 32×32, stride 4; 12 test tiles"
        made["audit"] |= {
            "notes": [tiles, "oats: a note"] if trained > 90 else [tiles],
            "fields": "places",
            "n_test": 90,
            "seen_counts": [40, 30, 20],
            "new_counts": [0, 0, 0],
            "no_seen_classes": [],
            "no_new_classes": [1, 2, 3],
        }
    text = render_report(build_report(records), "md")
    assert "- **note**: 81–225 training tiles of 32×32, stride 4; 12 test tiles\n" in text
    assert "- **note**: oats: a note (seeds 0, 2)\n" in text
    assert "100.0 % of test pixels lie in places that hold training tiles" in text
    assert "no new classes" not in text
    for made in records:
        made["audit"] |= {"seen_counts": [40, 30, 0], "new_counts": [0, 0, 20]}
        made["audit"] |= {"no_seen_classes": [3], "no_new_classes": [1, 2]}
    assert "no new classes" in render_report(build_report(records), "md")


def test_notes_whose_numbers_name_classes_are_not_joined() -> None:
    records = [masks(seed, "none", 0.1, (40, 30, 20)) for seed in range(3)]
    for made, class_id in zip(records, (3, 4, 4), strict=True):
        made["audit"] |= {"notes": [f"class {class_id} keeps 2 of 3 training pixels"]}
    text = render_report(build_report(records), "md")
    assert "- **note**: class 3 keeps 2 of 3 training pixels (seed 0)\n" in text
    assert "- **note**: class 4 keeps 2 of 3 training pixels (seeds 1, 2)\n" in text


def test_notes_that_differ_in_other_numbers_than_whole_ones_are_not_joined() -> None:
    records = [masks(seed, "none", 0.1, (40, 30, 20)) for seed in range(2)]
    for made, first, second in zip(records, (3, 4), ("1,200", "2,050"), strict=True):
        made["audit"] |= {
            "notes": [f"{first} blocks, 0.05 of the labels", f"{second} pixels are left out"]
        }
    text = render_report(build_report(records), "md")
    assert "- **note**: 3–4 blocks, 0.05 of the labels\n" in text
    assert "- **note**: 1,200 pixels are left out (seed 0)\n" in text
