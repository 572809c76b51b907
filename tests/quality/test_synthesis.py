"""Samples without a trial are those of the trial; files of samples are whole and readable."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pandas import read_csv
from scipy.io import loadmat
from spectral.io import envi

from hsiaug.base.errors import InputError
from hsiaug.base.text import text_of_spreadsheet
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.protocol.balance import DEFAULT_TIMES, Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.export import check_folder, save_samples
from hsiaug.quality.synthesis import PixelSynthesis
from hsiaug.registry.card import build_params
from hsiaug.tasks.sampling import PatchSampling
from hsiaug.tasks.task import get_task
from hsiaug.testing.subject import run_trial
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec
from hsiaug.trial.trial_run import SceneContext

Make = Callable[..., PixelSynthesis]


class Spy(PatchSampling):
    """Keeps the samples of which a trial's classifier was shown what it reads."""

    def join(self, view: Any, pool: Any, *shown: Any) -> Any:
        self.joined = super().join(view, pool)
        return super().join(view, pool, *shown)


@pytest.mark.parametrize(("generator", "omega"), [("smote", None), ("guided", 1.5)])
def test_samples_are_those_of_the_trial_bit_for_bit(make, toy, plugins, generator, omega):
    def plugin(kind: Any, name: str) -> PluginSpec:
        card = plugins.find(kind, name).load().card
        return plugin_spec(card, build_params(card), toy)

    protocol, spy = parse_protocol("issd"), Spy()
    task = replace(get_task("pixels"), sampling=spy)
    names = (plugin("generator", generator), plugin("classifier", "cnn2d"))
    spec = TrialSpec("pixels", toy.name, toy.sha256, protocol, 5, 2, *names, Rate(0.7), omega)
    run_trial(spec, SceneContext(toy, task), plugins, device="cpu", progress=lambda *_: None)
    made = make(generator, lam=0.7, seed=2)

    samples = concatenate([made.real, made.synthetic])
    assert (samples.x == spy.joined.x).all() and (samples.y == spy.joined.y).all()
    assert made.spec.fit_hash == spec.fit_hash
    assert len(made.real) == int(made.split.train.sum()) and made.synthetic.synthetic.all()


def test_provenance_holds_what_makes_the_samples_again(make: Make, toy: Scene) -> None:
    made = make("smote", lam=0.5, seed=3, overrides={"neighbours": "2"})
    facts = made.provenance()

    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["scene"] == {"name": "toy", "sha256": toy.sha256}
    assert facts["generator"]["params"] == {"neighbours": 2}
    assert (facts["lambda"], facts["omega"], facts["seed"]) == (0.5, None, 3)
    assert facts["times"] == 0 and make("smote", times=None).provenance()["times"] == DEFAULT_TIMES
    assert facts["class_names"] == list(toy.class_names)
    assert "numpy" in facts["environment"]["versions"]
    assert facts["generator_says"] == dict(made.synthetic.provenance)


@pytest.mark.parametrize(
    ("generator", "changes", "part"),
    [
        ("none", {}, "must be one that makes samples"),
        ("smote", {"lam": 0.0}, "at least one synthetic sample"),
        ("smote", {"lam": -1.0}, "`lam`"),
        ("smote", {"omega": 1.0}, "takes none"),
        ("guided", {"omega": -1.0}, "from 0 to 1000"),
        ("smot", {}, "Did you mean smote"),
    ],
)
def test_what_makes_no_sample_is_refused(
    make: Make, generator: str, changes: dict[str, Any], part: str
) -> None:
    with pytest.raises(InputError, match=part):
        make(generator, **changes)


@pytest.mark.parametrize("with_real", [False, True])
def test_npz_and_mat_hold_the_same_and_need_no_pickle(
    make: Make, tmp_path: Path, with_real: bool
) -> None:
    made = make("mixup")
    expected = concatenate([made.real, made.synthetic]) if with_real else made.synthetic
    for path in (tmp_path / "a.npz", tmp_path / "a.mat"):
        save_samples(path, made, with_real=with_real)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as npz:
        assert npz["x"].dtype == np.float32 and npz["y"].dtype == np.int64
        for name in ("x", "y", "synthetic", "coords", "weight"):
            assert (npz[name] == getattr(expected, name)).all()
        assert npz["class_names"].tolist() == list(made.data.class_names)
        facts = json.loads(str(npz["provenance"]))
    mat = loadmat(tmp_path / "a.mat")

    assert mat["x"].dtype == np.float32 and (mat["x"] == expected.x).all()
    assert (mat["y"].ravel() == expected.y).all() and (mat["coords"] == expected.coords).all()
    assert (mat["synthetic"].ravel() == expected.synthetic).all()
    assert [cell.item() for cell in mat["class_names"].ravel()] == list(made.data.class_names)
    assert json.loads(mat["provenance"].item()) == facts == made.provenance()
    assert max(len(name) for name in mat) <= 31


@pytest.mark.parametrize("with_real", [False, True])
@pytest.mark.parametrize("wavelengths", [True, False])
def test_csv_and_spectral_library_hold_the_centre_spectra(make, tmp_path, with_real, wavelengths):
    made = make("mixup")
    plain = made.data.class_names
    names = tuple(f"={name}, {{wet}}" for name in plain)
    at = made.data.wavelengths if wavelengths else None
    made = replace(
        made, data=replace(made.data, class_names=names, wavelengths=at, descriptions={})
    )
    expected = concatenate([made.real, made.synthetic]) if with_real else made.synthetic
    for path in (tmp_path / "a.csv", tmp_path / "a.sli"):
        save_samples(path, made, with_real=with_real)
    frame = read_csv(tmp_path / "a.csv")
    bands = (
        [f"{v:.10g}" for v in at] if wavelengths else [f"band {i}" for i in range(made.data.bands)]
    )

    assert frame.columns.tolist() == [
        "class",
        "name",
        "synthetic",
        "row",
        "column",
        "weight",
        *bands,
    ]
    assert np.array_equal(frame[bands].to_numpy(np.float32), expected.centres)
    for name, column in (("y", "class"), ("synthetic", "synthetic"), ("weight", "weight")):
        assert np.array_equal(frame[column], getattr(expected, name))
    assert np.array_equal(frame[["row", "column"]], expected.coords)
    assert frame.name.str.startswith("'=").all()
    assert [names[c - 1] for c in expected.y] == [text_of_spreadsheet(name) for name in frame.name]

    library = envi.open(str(tmp_path / "a.hdr"))
    assert np.array_equal(library.spectra, expected.centres)
    assert library.bands.centers == (at.tolist() if wavelengths else None)
    said = [f"={plain[c - 1]}; (wet)" for c in expected.y]
    assert [name.removesuffix(" (synthetic)") for name in library.names] == said
    assert [name.endswith(" (synthetic)") for name in library.names] == expected.synthetic.tolist()


def test_a_file_is_written_whole_or_not_at_all(make, tmp_path, monkeypatch):
    made, path = make(), tmp_path / "out" / "a.npz"
    path.parent.mkdir()
    path.write_text("older")

    def full(file: Path, **_: Any) -> None:
        file.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match="No space left"):
        save_samples(path, made, with_real=False)
    assert [file.name for file in path.parent.iterdir()] == [
        "a.npz"
    ] and path.read_text() == "older"


@pytest.mark.parametrize("name", ["a.xls", "a", "absent/a.npz", "folder.npz"])
def test_a_file_that_cannot_be_is_refused(make: Make, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="`out`"):
        save_samples(tmp_path / name, make(), with_real=False)
    with pytest.raises(InputError, match="`out`"):
        check_folder(tmp_path / "absent" / name)
