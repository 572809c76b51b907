"""The generator ``gaussian``: what sampling of ``txt2hsi`` begins with, without any network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Normaliser,
    PatchSamples,
    Plugin,
    Progress,
    TrainView,
    load_state,
    mapped_rows,
    resampled,
    save_state,
)
from hsiaug_builtin.gaussian.params import GaussianParams

if TYPE_CHECKING:
    from hsiaug_builtin.gaussian.classes import ClassModel
    from hsiaug_builtin.gaussian.coded import CodedScene
    from hsiaug_builtin.txt2hsi.measured import Measure
    from hsiaug_builtin.txt2hsi.vae import Vae

BATCH = 1024


@dataclass(frozen=True, eq=False)
class PreparedGaussian:
    """A coded scene, and the params that were read for it."""

    params: GaussianParams
    coded: CodedScene

    def save(self, folder: Path) -> None:
        """Write everything as safetensors and JSON."""
        save_state(folder, self.coded.arrays(), {"params": asdict(self.params)})


@dataclass(frozen=True, eq=False)
class FittedGaussian:
    """What sampling needs.

    Attributes
    ----------
    facts : mapping of str to object
        For the record.
    """

    params: GaussianParams
    vae: Vae
    classes: ClassModel
    normaliser: Normaliser
    measure: Measure
    facts: Mapping[str, Any]

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Patches of the Gaussian of each class and code, and the noise of the class.

        Raises
        ------
        PluginError
            For a class that was not fitted.
        """
        import torch

        from hsiaug_builtin.gaussian.codebook import Conditioning
        from hsiaug_builtin.txt2hsi.fitted import check_classes, decode_in_parts

        prior = self.classes.prior
        gaussians = self.classes.gaussians
        y = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        check_classes("gaussian", y, prior.ids)
        shape = gaussians.mean.shape[1:]

        def parts() -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
            rng = np.random.default_rng(seed)
            torch_rng = torch.Generator().manual_seed(seed)
            for start in range(0, len(y), BATCH):
                at = np.arange(start, min(start + BATCH, len(y)))
                code = prior.sample(y[at], rng)
                condition = Conditioning(code, torch.from_numpy(y[at]))
                with torch.inference_mode():
                    noise = torch.randn((len(at), *shape), generator=torch_rng)
                    coefficients = gaussians.sample(noise, condition)
                rows = prior.row(y[at])
                for some, patches in decode_in_parts(
                    self.vae,
                    coefficients,
                    self.classes.remainder,
                    rows,
                    self.normaliser,
                    torch_rng,
                ):
                    yield at[some], patches

        x = mapped_rows((len(y), len(self.normaliser.mean), *shape[:2]), parts)
        samples = PatchSamples.made(x, y, {**self.facts, **self.measure(x, y)})
        return replace(samples, weight=np.full(len(y), self.params.weight, dtype=np.float32))

    def save(self, folder: Path) -> None:
        """All state, as safetensors and JSON."""
        from hsiaug_builtin.nets import state

        arrays = {
            **state.weights(vae=self.vae, gaussians=self.classes.gaussians),
            **state.fields(
                normaliser=self.normaliser,
                remainder=self.classes.remainder,
                prior=self.classes.prior,
            ),
            **self.measure.arrays(),
        }
        save_state(folder, arrays, {"params": asdict(self.params), "facts": dict(self.facts)})


class Gaussian(Plugin[GaussianParams]):
    """Baseline of ``txt2hsi``: the same codes, classes and noise, and no diffusion.

    A patch is drawn from the Gaussian of its class and code, with a mean and a variance for every
    frequency of every latent channel: smooth areas and the right correlation of neighbours, but no
    edges. What ``txt2hsi`` is above this is what its denoiser adds.
    """

    card = Card(
        name="gaussian",
        version="1",
        summary=(
            "Baseline of txt2hsi: Gaussians of patches by class and cluster, without diffusion"
        ),
        scope="scene",
        prepares=True,
        prepare_seconds=10.0,
        seconds=8.0,
        params=GaussianParams,
        presets={"tiny": {"size": "tiny", "latent": 6, "vae_steps": 20, "codes": 16}},
    )

    def prepare(
        self, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> PreparedGaussian:
        """Learn VAE, codes and their Gaussians from all visible patches, without a label."""
        from hsiaug_builtin.diffusion.training import TrainingRun
        from hsiaug_builtin.gaussian.coded import code_scene

        coded = code_scene(view, self.params, TrainingRun(seed, "cpu", progress, None))
        return PreparedGaussian(self.params, coded)

    def load_prepared(self, folder: Path, *, device: str) -> PreparedGaussian:
        """Read what `prepare` saved."""
        from hsiaug_builtin.gaussian.coded import restore_coded_scene

        arrays, facts = load_state(folder)
        params = GaussianParams(**facts["params"])
        coded = restore_coded_scene(arrays, params.network.vae_width, "cpu")
        return PreparedGaussian(params, coded)

    def fit(
        self,
        view: TrainView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        prepared: PreparedGaussian,
    ) -> FittedGaussian:
        """Name pixels, and take the Gaussians of the classes."""
        from hsiaug_builtin.gaussian.classes import model_classes
        from hsiaug_builtin.txt2hsi.field import Field
        from hsiaug_builtin.txt2hsi.measured import Measure
        from hsiaug_builtin.txt2hsi.naming import name_pixels

        progress(0, 1, "teacher")
        pixels = name_pixels(view, self.params)
        coded = prepared.coded
        field = Field.of(view, coded.vae, "cpu")
        classes = model_classes(view, coded, field, pixels.every, seed)
        progress(1, 1, "teacher")
        return FittedGaussian(
            params=self.params,
            vae=coded.vae,
            classes=classes,
            normaliser=view.normaliser,
            measure=Measure.fit(view, pixels.every, seed),
            facts={"pseudo_labelled": pixels.facts},
        )

    def load(self, folder: Path, *, device: str) -> FittedGaussian:
        """Read a saved fit."""
        from hsiaug_builtin.gaussian.classes import ClassModel, Prior
        from hsiaug_builtin.gaussian.coded import restore_gaussians
        from hsiaug_builtin.nets import state
        from hsiaug_builtin.txt2hsi.measured import Measure
        from hsiaug_builtin.txt2hsi.prepare import restore_vae
        from hsiaug_builtin.txt2hsi.vae import Remainder

        arrays, facts = load_state(folder)
        params = resampled(GaussianParams(**facts["params"]), self.params)
        return FittedGaussian(
            params=params,
            vae=restore_vae(arrays, params.network.vae_width, "cpu"),
            classes=ClassModel(
                Prior(**state.under("prior", arrays)),
                Remainder(**state.under("remainder", arrays)),
                restore_gaussians(arrays),
            ),
            normaliser=Normaliser(**state.under("normaliser", arrays)),
            measure=Measure.restore(arrays),
            facts=facts["facts"],
        )
