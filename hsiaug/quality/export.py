"""Samples as files, whole or not at all: patches as .npz, which hsiaug reads again, or MATLAB 5,
centre spectra as CSV or ENVI spectral library, pairs as a folder.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hsiaug.base.arrays import Float64
from hsiaug.base.errors import InputError
from hsiaug.base.files import check_target, file_errors, write_text_whole, write_whole
from hsiaug.base.marks import MARK, SAMPLE_COLUMNS
from hsiaug.base.temporary_folders import temporary_folder
from hsiaug.base.text import envi_text, nanometres
from hsiaug.core.read_only import arrays_of
from hsiaug.core.samples import PatchSamples, concatenate
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.data.texts import toml_text
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug.quality.contact_sheets import contact_sheet, spread
from hsiaug.quality.map_files import ENVI_FLOATS, write_geotiff
from hsiaug.quality.synthesis import NO_CLASSIFIER, MaskSynthesis, PixelSynthesis, Synthesis
from hsiaug.registry.card import Card, NoParams
from hsiaug.report.figures.files import figure_bytes
from hsiaug.report.output_files import array_writers, write_files
from hsiaug.report.render_data import csv_of
from hsiaug.trial.spec import PluginSpec, TrialSpec

ENDINGS = (".npz", ".mat", ".csv", ".sli")
"""Endings of the files that samples are written to."""

MAT_LIMIT = 2**31 - 1
"""Bytes that one variable of a MATLAB 5 file can have."""


def check_folder(path: Path, *, empty: bool = False) -> None:
    """Raise InputError, before any work, unless ``path`` is a folder, or can be made in one that
    exists.

    Parameters
    ----------
    empty : bool
        Nothing must be in it.
    """
    fits = (
        path.is_dir() and not (empty and any(path.iterdir()))
        if path.exists()
        else path.parent.is_dir()
    )
    if not fits:
        rule = (
            f"`out` {path} must be {'an empty' if empty else 'a'} folder, or a new name in a folder"
            " that exists"
        )
        raise InputError(
            rule,
            value=(
                "a folder with files"
                if path.is_dir()
                else "a file"
                if path.exists()
                else f"no folder {path.parent}"
            ),
            hint="Name another one.",
        )


def save_samples(path: Path, made: PixelSynthesis, *, with_real: bool) -> PatchSamples:
    """Write the synthetic samples, after the real training ones where asked for; returns what was
    written.

    .npz and .mat: x (n, B, p, p) float32 in scene units; y (n,) int64 class ids; synthetic (n,)
    bool; coords (n, 2) int32 row and column of the centre, -1 for synthetic samples; weight (n,)
    float32; class_names (C,) text; provenance: JSON text. The centre spectra are ``x[:, :, p //
    2, p // 2]``. ``numpy.load`` reads the .npz without pickle; the .mat has the same names,
    ``class_names`` a cell of text. .csv: a row for each sample, its centre spectrum last. .sli:
    a spectral library of the centre spectra, named by their classes, with a header (.hdr) beside
    it. Raises InputError for another ending, a folder that is not there, or samples too large
    for MATLAB 5.
    """
    check_target(path, ENDINGS)
    samples = concatenate([made.real, made.synthetic]) if with_real else made.synthetic
    if path.suffix.lower() == ".mat" and samples.x.nbytes > MAT_LIMIT:
        raise InputError(
            "a MATLAB 5 file holds arrays of less than 2 GB",
            value=f"{samples.x.nbytes / 2**30:.1f} GB of patches",
            hint="Use `out` FILE.npz, a smaller `lambdas` or a smaller `patch`.",
        )
    if path.suffix.lower() == ".csv":
        write_text_whole(path, csv_of(_rows(samples, made.data)))
        return samples
    if path.suffix.lower() == ".sli":
        write_whole(path, lambda fresh: fresh.write_bytes(samples.centres.astype("<f4").tobytes()))
        write_whole(
            path.with_suffix(".hdr"), lambda fresh: _write_library_header(fresh, samples, made)
        )
        return samples
    facts = made.provenance()
    arrays = {name: getattr(samples, name) for name in ("x", "y", "synthetic", "coords", "weight")}
    arrays |= arrays_of(samples)  # a task of another package has more
    arrays["class_names"] = np.array(facts["class_names"])
    arrays["provenance"] = np.array(json.dumps(facts, ensure_ascii=False, allow_nan=False))
    write_files([path], array_writers(lambda: arrays))
    return samples


def read_samples(path: Path) -> PixelSynthesis:
    """The samples of an .npz file that :func:`save_samples` wrote, with the scene and the split
    that they came from.

    Raises
    ------
    InputError
        For another file, and where the scene is not there any more, or has changed.
    """
    hint = "Name an .npz file that 'hsiaug generate' wrote."
    rule = f"{path} must be samples that 'hsiaug generate' wrote"
    try:
        with np.load(path, allow_pickle=False) as file:
            x, y, synthetic = (file[name] for name in ("x", "y", "synthetic"))
            facts = json.loads(str(file["provenance"]))
            source, patch, made_by = facts["source"], facts["patch"], facts["generator"]
            protocol, buffer = facts["protocol"], facts["protocol"]["buffer"]
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there", hint="Look at its name.") from error
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(rule, value=f"{type(error).__name__}: {error}", hint=hint) from error
    scene = load_scene(source)
    if scene.sha256 != facts["scene"]["sha256"]:
        raise InputError(
            f"the scene {source} must be as it was when {path} was written",
            value="other values",
            hint="Make the samples again.",
        )
    argument = protocol["argument"].partition("#")[0]
    rule_of_split = parse_protocol(f"{protocol['name']}:{argument}".rstrip(":"), buffer)
    split = draw_split(scene, rule_of_split, facts["seed"], patch)
    samples = PatchSamples.made(x[synthetic], y[synthetic].astype(np.int64))
    card = Card(
        made_by["name"], made_by["version"], "", scope=facts["scope"], guidance=facts["omega"]
    )
    spec = TrialSpec(
        task=facts["task"],
        scene=scene.name,
        scene_sha256=scene.sha256,
        protocol=rule_of_split,
        patch=patch,
        seed=facts["seed"],
        generator=PluginSpec(card.name, card.version, NoParams()),
        classifier=NO_CLASSIFIER,
        rate=Rate(facts["lambda"], facts["times"]),
        omega=facts["omega"],
        draws=scene.drawn_as,
    )
    return Synthesis(
        data=scene,
        split=split,
        spec=spec,
        card=card,
        fitted=None,
        real=train_view(scene, split, card.scope).real,
        synthetic=samples,
        seconds=facts["seconds"],
        facts={},
        stated=facts,
    )


def _rows(samples: PatchSamples, scene: Scene) -> list[dict[str, object]]:
    """A row for each sample: its class, where it lies, and a column for each band, named by its
    centre in nm.
    """
    centres = scene.wavelengths
    bands = (
        [f"band {i}" for i in range(scene.bands)]
        if centres is None
        else [nanometres(v) for v in centres]
    )
    names = [scene.class_names[c - 1] for c in samples.y]
    facts = (samples.y, names, samples.synthetic, *samples.coords.T, samples.weight)
    columns = {
        **dict(zip(SAMPLE_COLUMNS, facts, strict=True)),
        **dict(zip(bands, samples.centres.T, strict=True)),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _write_library_header(path: Path, samples: PatchSamples, made: PixelSynthesis) -> None:
    from spectral.io import envi

    scene, spec = made.data, made.spec
    names = [envi_text(scene.class_names[c - 1]) for c in samples.y]
    fields: dict[str, object] = {
        "samples": scene.bands,
        "lines": len(samples),
        "bands": 1,
        **ENVI_FLOATS,
    }
    fields["description"] = envi_text(
        f"{MARK}: {spec.generator.name} on {scene.name}, fit {spec.fit_hash}"
    )
    real = zip(names, ~samples.synthetic, strict=True)
    fields["spectra names"] = [name if is_real else f"{name} (synthetic)" for name, is_real in real]
    if scene.wavelengths is not None:
        fields |= {
            "wavelength units": "Nanometers",
            "wavelength": [nanometres(v) for v in scene.wavelengths],
        }
    envi.write_envi_header(str(path), fields, is_library=True)


def save_pairs(
    folder: Path,
    made: MaskSynthesis,
    reliability: Mapping[str, object],
    agreement: Float64,
) -> list[Path]:
    """Write the pairs, whole or not at all; returns the paths of the contact sheet, the manifest
    and the card.

    reliability, and agreement (n,) of each pair, go into the manifest; NaN as null. images_1/ (and
    images_2/ for change detection): GeoTIFF (band-sequential float32). masks/: PNG of class ids, 0
    = ignore. confidence/: .npy (H, W) where the generator gives it.
    """
    rule = f"`out` {folder} must be a folder that can be written to"
    hint = "Free some space, or name another one."
    with file_errors(rule, hint):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with file_errors(rule, hint), temporary_folder(folder.parent, folder.name) as fresh:
        names = _write_arrays(fresh, made)
        groups = [("real", spread(made.real)), ("generated", made.synthetic)]
        colours = FalseColours.fit_samples(made.real.images, made.data.wavelengths)
        sheet = contact_sheet(groups, made.data.class_names, colours)
        (fresh / "contact_sheet.png").write_bytes(figure_bytes(sheet, "png"))
        shares = [None if np.isnan(share) else round(share, 3) for share in agreement.tolist()]
        files = [{**row, "agreement": share} for row, share in zip(names, shares, strict=True)]
        manifest = {
            "format": 1,
            **made.provenance(),
            "reliability": dict(reliability),
            "files": files,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / "manifest.json").write_text(text + "\n", encoding="utf-8")
        (fresh / "pairs.toml").write_text(_pairs_card(made, names[0]["images"]), encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        fresh.replace(folder)
    return [folder / name for name in ("contact_sheet.png", "manifest.json", "pairs.toml")]


def _write_arrays(folder: Path, made: MaskSynthesis) -> list[dict[str, list[str] | str]]:
    from PIL import Image

    samples = made.synthetic
    listed: list[dict[str, list[str] | str]] = []
    digits = max(4, len(str(len(samples))))
    folders = ["masks", *(f"images_{t + 1}" for t in range(samples.dates))]
    for name in folders + (["confidence"] if samples.confidence is not None else []):
        (folder / name).mkdir()
    for i in range(len(samples)):
        name = f"{i:0{digits}d}"
        images = []
        for t, image in enumerate(samples.images[i]):
            path = folder / f"images_{t + 1}" / f"{name}.tif"
            images.append(write_geotiff(path, image, interleave="band"))
        Image.fromarray(samples.masks[i].astype(np.uint8)).save(folder / "masks" / f"{name}.png")
        if samples.confidence is not None:
            np.save(folder / "confidence" / f"{name}.npy", samples.confidence[i])
        paths = [path.relative_to(folder).as_posix() for path in images]
        listed.append({"images": paths, "mask": f"masks/{name}.png"})
    return listed


def _pairs_card(made: MaskSynthesis, images: list[str] | str) -> str:
    """A card of the folder, so that it can be loaded like any other set."""
    data, ending = made.data, Path(images[0]).suffix
    waves = None if data.wavelengths is None else data.wavelengths.tolist()
    facts = {"units": data.units, "wavelengths": waves, "gsd": data.gsd}
    known = {key: value for key, value in facts.items() if value is not None}
    files = [f"images_{t + 1}/{{name}}{ending}" for t in range(made.synthetic.dates)]
    return toml_text(
        {
            "name": f"synthetic_{data.name}",
            "title": f"Synthetic pairs of {made.card.name}, trained on {data.name}",
            "task": made.spec.task,
            "images": {"files": files, "axes": "bhw", **known},
            "masks": {"files": ["masks/{name}.png"], "names": data.class_names, "ignore": [0]},
            "places": {"any": ["*"]},
        }
    )
