"""Everything that ``hsiaug inspect`` says about synthetic image–mask pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.metrics.dense.fidelity import DenseFidelity, dense_fidelity
from hsiaug.metrics.dense.reliability import Coupling, DenseReliability, dense_reliability
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.pair_figures import save_nearest, save_shifts, save_spectra
from hsiaug.quality.pair_synthesis import MadePairs
from hsiaug.quality.sheets import contact_sheet
from hsiaug.report.labels import wrong_share
from hsiaug.tiles import DenseSamples

__all__ = ["PairInspection", "inspect_pairs_of", "pair_verdict", "save_pair_pictures"]

FORMAT = 1
COUPLED = 64
"""Pairs of which the generator's own coupling gap is asked, at most."""


@dataclass(frozen=True, eq=False)
class PairInspection:
    """The reports, and the real pairs that they compare with. held: the test tiles of the split."""

    made: MadePairs
    held: DenseSamples
    fidelity: DenseFidelity
    reliability: DenseReliability

    def as_json(self) -> dict[str, Any]:
        """What quality.json holds."""
        return {
            "format": FORMAT,
            "provenance": self.made.provenance(),
            "n": {
                "train": len(self.made.view.real),
                "held_out": len(self.held),
                "synthetic": len(self.made.samples),
            },
            "verdict": list(pair_verdict(self)),
            "fidelity": self.fidelity.as_json(),
            "reliability": self.reliability.as_json(),
        }


def inspect_pairs_of(made: MadePairs, seed: int = 0) -> PairInspection:
    """Measure fidelity and label reliability. Test tiles and their masks are read: a diagnosis after the fit."""
    held = real_samples(made.split, made.split.test)
    classes = len(made.data.class_names)
    train = made.view.real
    return PairInspection(
        made,
        held,
        dense_fidelity(train, held, made.samples, classes=classes, seed=seed),
        dense_reliability(
            train, held, made.samples, classes=classes, seed=seed, coupling=_coupling(made, held, seed)
        ),
    )


def _coupling(made: MadePairs, held: DenseSamples, seed: int) -> Coupling | None:
    """R4, for generators that offer ``coupling(samples, seed) -> (n,)``."""
    ask = getattr(made.fitted, "coupling", None)
    if ask is None or len(made.samples) < 2:
        return None
    some = made.samples.take(np.arange(min(COUPLED, len(made.samples))))
    permuted = DenseSamples.made(some.images, np.roll(some.masks, 1, axis=0))
    # A generator can say nothing of a class that it never saw.
    known = np.isin(held.masks, np.unique(made.view.real.masks)).all(axis=(1, 2))
    like = held.take(np.flatnonzero(known)[:COUPLED])
    return Coupling(ask(some, seed), ask(permuted, seed), ask(like, seed) if len(like) > 1 else None)


def save_pair_pictures(report: PairInspection, folder: Path) -> list[Path]:
    """contact_sheet.png, spectra.png and .svg, nearest.png and shifts.png."""
    made = report.made
    names, waves = made.data.class_names, made.data.wavelengths
    train = made.view.real
    order = np.linspace(0, len(train) - 1, min(8, len(train))).round().astype(int)
    groups = [("real", train.take(order)), (made.card.name, made.samples)]
    return [
        contact_sheet(folder / "contact_sheet.png", groups, names, waves),
        *save_spectra(folder / "spectra.png", train, made.samples, names, waves),
        save_nearest(folder / "nearest.png", made.samples, train, report.fidelity.worst, names, waves),
        save_shifts(folder / "shifts.png", report.reliability.shifts),
    ]


def pair_verdict(report: PairInspection) -> Iterator[str]:
    """The report in a few sentences."""
    reliability, fidelity = report.reliability, report.fidelity
    if reliability.wrong is not None and reliability.wrong_interval is not None:
        low, high = reliability.wrong_interval
        share = wrong_share(reliability.wrong)
        yield f"masks: as if {share} % of the pixels were labelled wrongly [{low:.0f} to {high:.0f} %]"
    else:
        yield "masks: too little difference between these classes to judge labels by it"
    copies, statistic = fidelity["copies"].value, fidelity["copying"].value
    if copies is not None and copies > 1:
        yield f"memorisation: {copies:.0f} % of the synthetic tiles are copies of training tiles, turned or not"
    elif statistic is not None and statistic < -3:
        yield f"memorisation: no copies, but nearer to training tiles than held-out ones are (C_T = {statistic:.1f})"
    else:
        yield "memorisation: no sign of it"
    shares = fidelity["shares"]
    yield f"classes: total variation of their shares {_number(shares.value)} (real tiles: {_number(shares.floor)})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
