"""The generator ``relight``: real training patches under another light, mixed with what lies round them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, DenseView, Progress, TrainView, load_state, resampled
from hsiaug_builtin.light.pairs import FittedRelightPairs, fit_pairs
from hsiaug_builtin.light.params import RelightParams, bounded
from hsiaug_builtin.light.sky import diffuse_share, smooth_root
from hsiaug_builtin.light.strength import strongest
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycled

__all__ = ["FittedRelight", "Relight", "RelightParams", "borne_strength", "of_scene", "relit", "wavelengths_of"]

STRENGTHS = (0.1, 0.25, 0.5, 1.0)
"""What the strengths of all effects are multiplied by, one of these."""


@dataclass(frozen=True, eq=False)
class FittedRelight(FittedPatches):
    """wavelengths: (B,) float64 nm; empty where the scene has none.

    strength: of all effects together. recall: held-out recall of the training pixels by strength, where that was chosen.
    tells: whether that recall tells the strengths apart.
    """

    wavelengths: NDArray[np.float64]
    params: dict[str, float]
    strength: float
    recall: dict[str, float]
    tells: bool
    name = "relight"

    @property
    def notes(self) -> dict[str, Any]:
        """The strength, how it was chosen, and what a scene without wavelengths does without."""
        lack = {} if len(self.wavelengths) else {"no_wavelengths": "the light changes in brightness alone"}
        if not self.tells:
            lack["weakest_strength"] = "held-out training pixels tell no strength from plain copies"
        return {"strength": self.strength, "held_out_recall": self.recall, **lack}

    @property
    def weight(self) -> float:
        return self.params["weight"]

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        effects = RelightParams(**self.params)
        return relit(self.x[cycled(rows, count, rng)], self.x, effects, self.strength, self.wavelengths, rng)


class Relight(PatchGenerator):
    """Real patches as another light would show them; nothing is learnt of the classes, and no unlabelled pixel is read.

    A spectrum, in radiance or reflectance, is multiplied by the light on its pixel over the light on level, open ground:

        (δ·g·(1 − d(λ)) + Ω·d(λ)) · exp(c(λ)).

    g is the sun's light on the slope of the ground (log-normal); δ and Ω are the shares of the sun and of the sky that
    the pixel sees (1, less in shadow); d(λ) is the diffuse share of a clear sky (:mod:`hsiaug_builtin.light.sky`).
    c(λ) stands for what else changes the colour of light from place to place (haze, reflections of the surroundings,
    the angle of view). Of it nothing is known but that it is smooth: it is drawn from a Gaussian process over
    wavelength with a squared-exponential kernel. Before that, the spectrum may be mixed with another training pixel's,
    and after it the air may scatter light of another training patch into it, in proportion to d(λ). A scene without
    wavelengths gets g alone.

    The strength of all effects together is the largest of ``STRENGTHS`` at which a judge recalls held-out training pixels
    as well as with plain copies, and the least where the judge cannot tell them apart.

    The decomposition into direct and diffuse light is that of p³VAE, whose decoder is trained through it; here nothing is
    trained, and shadow, mixing and adjacency are off by default.

    Of tiles with masks see :func:`hsiaug_builtin.light.tiles.relit_tiles`, :mod:`hsiaug_builtin.light.pairs`.
    """

    card = Card(
        name="relight",
        version="3",
        summary="Real patches or pairs under another light: brightness, smooth changes of colour, shadow on tiles",
        paper="""@misc{thoreau2022p3vae, author={Romain Thoreau and Laurent Risser and Véronique Achard and
            Béatrice Berthelot and Xavier Briottet}, title={{p3VAE}: a physics-integrated generative model},
            howpublished={arXiv:2210.10418}, year={2022}, eprint={2210.10418}, archiveprefix={arXiv}}; sky
            light after @article{bird1986spectral, author={Richard E. Bird and Carol Riordan}, title={Simple
            Solar Spectral Model for Direct and Diffuse Irradiance on Horizontal and Tilted Planes at the
            {Earth's} Surface for Cloudless Atmospheres}, journal={Journal of Climate and Applied
            Meteorology}, volume={25}, number={1}, pages={87--97}, year={1986},
            doi={10.1175/1520-0450(1986)025<0087:SSSMFD>2.0.CO;2}}""",
        tasks=("pixels", "segmentation", "change"),
        seconds=1.0,
        params=RelightParams,
    )
    fitted = FittedRelight

    def learn(self, view: TrainView) -> dict[str, Any]:
        """How strong effects the classes bear."""
        params = of_scene(view, self.params)
        strength, recall, tells = (params.strength, {}, True) if params.strength else borne_strength(view, params)
        return {
            "wavelengths": wavelengths_of(view),
            "params": asdict(params),
            "strength": strength,
            "recall": recall,
            "tells": tells,
        }

    def fit(self, view: TrainView | DenseView, *, seed: int, device: str, progress: Progress) -> Any:
        """Remember the real patches or pairs, and how strong effects they bear."""
        if isinstance(view, DenseView):
            return fit_pairs(view, self.params)
        return super().fit(view, seed=seed, device=device, progress=progress)

    def load(self, folder: Path, *, device: str) -> Any:
        """What ``save`` wrote."""
        arrays, facts = load_state(folder)
        params = asdict(resampled(RelightParams(**facts["params"]), self.params))
        state: dict[str, Any] = {**arrays, **facts, "params": params}
        return FittedRelightPairs(**state) if "masks" in arrays else FittedRelight(**state)


def wavelengths_of(view: TrainView) -> NDArray[np.float64]:
    """(B,) nm; empty where the scene has none."""
    return np.empty(0) if view.wavelengths is None else view.wavelengths


def of_scene(view: TrainView, effects: RelightParams) -> RelightParams:
    """The effects, with a ``slope`` of at most twice the spread of log brightness over the visible pixels."""
    return bounded(effects, view.cube[view.visible])


def borne_strength(view: TrainView, effects: RelightParams) -> tuple[float, dict[str, float], bool]:
    """The largest of ``STRENGTHS`` that the classes of a view bear: see :func:`strongest`."""
    middle = slice(view.patch // 2, view.patch // 2 + 1)
    centres = view.real.x[:, :, middle, middle]
    wavelengths = wavelengths_of(view)

    def changed(strength: float, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        return relit(centres[rows], centres, effects, strength, wavelengths, rng)[:, :, 0, 0]

    return strongest(view, {strength: partial(changed, strength) for strength in STRENGTHS})


def relit(
    x: NDArray[np.float32],
    others: NDArray[np.float32],
    effects: RelightParams,
    strength: float,
    wavelengths: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """(n, B, p, p) patches x under other light. others: (m, B, q, q), what neighbours and surroundings are drawn from.

    wavelengths: (B,) nm, or empty where they are unknown: then light changes brightness alone.
    """
    n = len(x)
    gain = np.exp(strength * effects.slope * rng.standard_normal((n, 1)))
    made = x + strength * effects.mix * rng.random((n, 1, 1, 1)) * (_pixels(others, n, rng)[:, :, None, None] - x)
    if not len(wavelengths):
        return np.asarray(made * gain[:, :, None, None], dtype=np.float32)
    diffuse = diffuse_share(wavelengths, effects.zenith, effects.turbidity)
    hidden = np.minimum(1, strength * rng.beta(0.6, 1.2, (n, 1))) * (rng.random((n, 1)) < effects.shade)
    sky = 1 - 0.5 * hidden * rng.random((n, 1))
    light = gain * (1 - hidden) * (1 - diffuse) + sky * diffuse  # (n, B)
    curves = rng.standard_normal((n, len(wavelengths))) @ smooth_root(wavelengths, effects.smooth).T
    made = made * (light * np.exp(strength * effects.colour * curves))[:, :, None, None]
    around = others[rng.integers(len(others), size=n)].mean(axis=(2, 3))[:, :, None, None]
    share = strength * effects.adjacency * rng.random((n, 1, 1, 1)) * (diffuse / diffuse.max())[:, None, None]
    return np.asarray(made + share * (around - made), dtype=np.float32)


def _pixels(x: NDArray[np.float32], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, B) random pixels of patches."""
    rows, columns = rng.integers(x.shape[2], size=(2, n))
    return np.asarray(x[rng.integers(len(x), size=n), :, rows, columns])
