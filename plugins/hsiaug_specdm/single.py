"""The generator ``ldm_single``: SpecDM's baseline, one VAE of everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hsiaug.api import Card, DenseView, Progress
from hsiaug_specdm.params import PAPER, TINY, Params

if TYPE_CHECKING:
    from hsiaug_specdm.fitted import FittedPairs

__all__ = ["LdmSingle"]


class LdmSingle:
    """Learns one VAE of image and one-hot mask together, with as many latent channels as SpecDM's two, and a denoiser."""

    card: ClassVar[Card] = Card(
        name="ldm_single",
        version="2",
        summary="Single-stream latent diffusion of images with their masks, the baseline SpecDM is compared with",
        paper="the baseline LDM of arXiv 2502.17056, after Rombach et al., CVPR 2022",
        tasks=("segmentation", "change"),
        guidance=0.0,
        uses_device=True,
        resumes=True,
        seconds=500.0,
        params=Params,
        presets={"tiny": TINY, "paper": PAPER},
    )

    def __init__(self, params: Params) -> None:
        self.params = params

    def fit(
        self, view: DenseView, *, seed: int, device: str, progress: Progress, checkpoint: Path | None = None
    ) -> FittedPairs:
        from hsiaug_specdm.codec import fit_one_stream
        from hsiaug_specdm.fit import learn
        from hsiaug_specdm.fitted import FittedPairs

        return FittedPairs(**learn(view, self.params, fit_one_stream, seed, device, progress, checkpoint))

    def load(self, folder: Path, *, device: str) -> FittedPairs:
        from hsiaug_specdm.codec import OneStream
        from hsiaug_specdm.fitted import FittedPairs

        return FittedPairs.restored(folder, self.params, OneStream, device)
