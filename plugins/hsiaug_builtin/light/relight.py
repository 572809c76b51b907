"""The generator ``relight``: real training patches under another light."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, TrainView, load_state, param, resampled
from hsiaug_builtin.light.sky import diffuse_share, smooth_root
from hsiaug_builtin.light.strength import strongest
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycle

STRENGTHS = (0.1, 0.25, 0.5, 1.0)
"""Candidates for the common strength of all effects."""


@dataclass(frozen=True)
class RelightParams:
    """How strong each effect is at strength 1. Chosen on splits 100 to 107 of Indian Pines and of
    crops of Houston, Pavia and Jasper Ridge under ``issd``.
    """

    slope: float = param(
        0.3,
        "standard deviation of the logarithm of the sun's light on a slope, at most twice the"
        " scene's",
        low=0,
    )
    colour: float = param(
        0.02, "standard deviation of the logarithm of the light's colour at a wavelength", low=0
    )
    strength: float = param(
        0.0, "of all effects together; 0 = chosen inside the training pixels", low=0, high=4
    )
    weight: float = param(
        0.3, "sample weight of a patch; a real sample has 1", low=0, sampling=True
    )


@dataclass(frozen=True, eq=False)
class FittedRelight(FittedPatches):
    """Real patches, and the strength at which they are relit.

    Attributes
    ----------
    wavelengths : (B,) float64
        In nm; empty where the scene has none.
    strength : float
        Strength of all effects together.
    recall : dict of str to float
        Held-out recall of the training pixels by strength, where that was chosen.
    tells : bool
        Whether that recall tells the strengths apart.
    """

    wavelengths: NDArray[np.float64]
    params: dict[str, float]
    strength: float
    recall: dict[str, float]
    tells: bool
    name = "relight"

    @property
    def notes(self) -> dict[str, object]:
        """The strength, how it was chosen, and what a scene without wavelengths does without."""
        lack = (
            {}
            if len(self.wavelengths)
            else {"no_wavelengths": "the light changes in brightness alone"}
        )
        if not self.tells:
            lack["weakest_strength"] = "held-out training pixels tell no strength from plain copies"
        return {"strength": self.strength, "held_out_recall": self.recall, **lack}

    @property
    def weight(self) -> float:
        return self.params["weight"]

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        effects = RelightParams(**self.params)
        return relight(
            self.x[cycle(rows, count, rng)], effects, self.strength, self.wavelengths, rng
        )


class Relight(PatchGenerator):
    """Real patches as another light would show them; nothing is learnt of the classes, and no
    unlabelled pixel is read.

    A spectrum, in radiance or reflectance, is multiplied by the light on its pixel over the light
    on level, open ground:

        (g·(1 − d(λ)) + d(λ)) · exp(c(λ)).

    g is the sun's light on the slope of the ground (log-normal); d(λ) is the diffuse share of a
    clear sky (:mod:`hsiaug_builtin.light.sky`). c(λ) stands for what else changes the colour of
    light from place to place (haze, reflections of the surroundings, the angle of view). It is
    known only to be smooth: it is drawn from a Gaussian process over wavelength with a
    squared-exponential kernel. A scene without wavelengths gets g alone.

    The strength of all effects together is the largest of ``STRENGTHS`` at which a judge recalls
    held-out training pixels as well as with plain copies, and the least where the judge cannot tell
    them apart.

    The decomposition into direct and diffuse light is that of p³VAE, whose decoder is trained
    through it; here nothing is trained.
    """

    card = Card(
        name="relight",
        version="4",
        summary="Real patches in other light: brightness and smooth spectral changes",
        paper="""@misc{thoreau2022p3vae, author={Romain Thoreau and Laurent Risser and Véronique
            Achard and Béatrice Berthelot and Xavier Briottet}, title={{p3VAE}: a physics-integrated
            generative model}, howpublished={arXiv:2210.10418}, year={2022}, eprint={2210.10418},
            archiveprefix={arXiv}}; sky light after @article{bird1986spectral, author={Richard E.
            Bird and Carol Riordan}, title={Simple Solar Spectral Model for Direct and Diffuse
            Irradiance on Horizontal and Tilted Planes at the {Earth's} Surface for Cloudless
            Atmospheres}, journal={Journal of Climate and Applied Meteorology}, volume={25},
            number={1}, pages={87--97}, year={1986},
            doi={10.1175/1520-0450(1986)025<0087:SSSMFD>2.0.CO;2}}""",
        seconds=1.0,
        params=RelightParams,
    )
    fitted = FittedRelight

    def learn(self, view: TrainView) -> dict[str, Any]:
        """How strong effects the classes bear."""
        params = replace(
            self.params, slope=bounded_slope(self.params.slope, view.cube[view.visible])
        )
        wavelengths = np.empty(0) if view.wavelengths is None else view.wavelengths
        middle = slice(view.patch // 2, view.patch // 2 + 1)
        centres = view.real.x[:, :, middle, middle]

        def changed(
            strength: float, rows: NDArray[np.int64], rng: np.random.Generator
        ) -> NDArray[np.float32]:
            return relight(centres[rows], params, strength, wavelengths, rng)[:, :, 0, 0]

        changes = {strength: partial(changed, strength) for strength in STRENGTHS}
        strength, recall, tells = (
            (params.strength, {}, True) if params.strength else strongest(view, changes)
        )
        return {
            "wavelengths": wavelengths,
            "params": asdict(params),
            "strength": strength,
            "recall": recall,
            "tells": tells,
        }

    def load(self, folder: Path, *, device: str) -> FittedRelight:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        params = asdict(resampled(RelightParams(**facts["params"]), self.params))
        return FittedRelight(**{**arrays, **facts, "params": params})


def bounded_slope(slope: float, spectra: NDArray[np.float32]) -> float:
    """The slope, at most twice the spread of log brightness over spectra (n, B)."""
    norm = np.linalg.norm(spectra, axis=1)
    return min(slope, 2 * float(np.log(np.maximum(norm, 1e-3 * np.median(norm))).std()))


def relight(
    x: NDArray[np.float32],
    effects: RelightParams,
    strength: float,
    wavelengths: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """(n, B, p, p) patches x under other light.

    Parameters
    ----------
    wavelengths : (B,) float64
        In nm, or empty where they are unknown: then light changes brightness alone.
    """
    n = len(x)
    light = np.exp(strength * effects.slope * rng.standard_normal((n, 1)))
    if len(wavelengths):
        diffuse = diffuse_share(wavelengths)
        curves = rng.standard_normal((n, len(wavelengths))) @ smooth_root(wavelengths).T
        light = (light * (1 - diffuse) + diffuse) * np.exp(
            strength * effects.colour * curves
        )  # (n, B)
    return np.asarray(x * light[:, :, None, None], dtype=np.float32)
