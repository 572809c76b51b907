"""The picture of docs/txt2hsi.md: what light and other scenes make of training spectra, beside real new fields.

    bash benchmarks/prior.sh
    python -m benchmarks.prior_picture docs/images/other_fields.png

Three classes of the Pavia crop under ``issd``, draw 100 (a selection draw). The first column reads test labels, to be
looked at and for nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import HERE
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug.registry.card import build_params
from hsiaug_builtin.light.relight import Relight
from hsiaug_builtin.spectra.prior import Prior
from hsiaug_builtin.spectra.target import Target

CLASSES = ("Meadows", "Trees", "Bare Soil")
SHOWN, PATCH, DRAW = 40, 9, 100
COLOURS = {"new fields": "#6b7280", "relight": "#0072b2", "other scenes": "#d55e00"}


def main(out: Path) -> None:
    """Draw it."""
    scene = load_scene(HERE / "scenes" / "pavia_crop.toml")
    split = draw_split(scene, parse_protocol("issd"), DRAW, PATCH)
    view = train_view(scene, split, "none")
    rng = np.random.default_rng(0)
    relight = Relight(build_params(Relight.card)).fit(view, seed=0, device="cpu", progress=lambda *_: None)
    target = Target.of(view, Prior.load(HERE / "priors" / "pavia"))
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    axes = figure.subplots(len(CLASSES), len(COLOURS), sharex=True, sharey="row")
    for row, name in zip(axes, CLASSES, strict=True):
        c = scene.class_names.index(name) + 1
        own = np.flatnonzero(view.y == c)
        made = {
            "new fields": scene.cube[(scene.labels == c) & split.test & ~split.seen],
            "relight": relight.sample({c: SHOWN}, guidance=None, seed=0).x[:, :, PATCH // 2, PATCH // 2],
            "other scenes": target.apply(view.real.x[np.resize(own, SHOWN)], view.y[np.resize(own, SHOWN)], rng)[
                :, :, PATCH // 2, PATCH // 2
            ],
        }
        for axis, (kind, colour) in zip(row, COLOURS.items(), strict=True):
            spectra = made[kind]
            spectra = spectra[rng.permutation(len(spectra))[:SHOWN]]
            axis.plot(scene.wavelengths, spectra.T, color=colour, linewidth=0.6, alpha=0.6)
            axis.plot(scene.wavelengths, view.real.x[own, :, PATCH // 2, PATCH // 2].T, color="black", linewidth=1)
        row[0].set_ylabel(f"{name}\nreflectance")
    for axis, kind in zip(axes[0], COLOURS, strict=True):
        axis.set_title({"new fields": "real, in new fields (not seen)"}.get(kind, f"samples: {kind}"), fontsize=10)
    for axis in axes[-1]:
        axis.set_xlabel("wavelength (nm)")
    figure.suptitle("Pavia crop: training pixels in black", fontsize=11)
    figure.savefig(out, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
