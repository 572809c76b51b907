"""The generator ``specdm``: its card, and where its training and its state are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hsiaug.api import Card, DenseView, Progress
from hsiaug_specdm.params import PAPER, TINY, SpecDmParams

if TYPE_CHECKING:
    from hsiaug_specdm.reliability import FittedSpecDm

__all__ = ["SpecDm"]


class SpecDm:
    """Learns a VAE of images, a VAE of masks, and a denoiser of their joint latents."""

    card: ClassVar[Card] = Card(
        name="specdm",
        version="2",
        summary="Two-stream latent diffusion of images with their masks, SpecDM, reimplemented",
        paper="arXiv 2502.17056; no code is public, and much of the paper's configuration is this project's estimate",
        tasks=("segmentation", "change"),
        guidance=0.0,
        uses_device=True,
        resumes=True,
        seconds=500.0,
        params=SpecDmParams,
        presets={"tiny": {**TINY, "gate_sad": 3.2, "gate_mask": 0.0}, "paper": {**PAPER, "mask_width": 128}},
    )

    def __init__(self, params: SpecDmParams) -> None:
        self.params = params

    def fit(
        self, view: DenseView, *, seed: int, device: str, progress: Progress, checkpoint: Path | None = None
    ) -> FittedSpecDm:
        from hsiaug_specdm.codec import fit_two_stream
        from hsiaug_specdm.fit import learn
        from hsiaug_specdm.reliability import FittedSpecDm

        return FittedSpecDm(**learn(view, self.params, fit_two_stream, seed, device, progress, checkpoint))

    def load(self, folder: Path, *, device: str) -> FittedSpecDm:
        from hsiaug_specdm.codec import TwoStream
        from hsiaug_specdm.reliability import FittedSpecDm

        return FittedSpecDm.restored(folder, self.params, TwoStream, device)
