"""The generator ``txt2hsi``: its card, and where its training and its state are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.api import Card, Plugin, Progress, TrainView, load_state, resampled
from hsiaug_builtin.txt2hsi.params import Params

if TYPE_CHECKING:
    from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi


class Txt2Hsi(Plugin[Params]):
    """Learns a VAE, pseudo-labels and a text-conditioned denoiser from one scene."""

    card = Card(
        name="txt2hsi",
        version="8",
        summary="Semi-supervised text-conditioned latent diffusion, Txt2HSI-LDM(VAE), reimplemented",
        paper="""@misc{zhu2025txt2hsi, author={Yimin Zhu and Lincoln Linlin Xu}, title={Language-Informed
            Hyperspectral Image Synthesis for Imbalanced-Small Sample Classification via Semi-Supervised
            Conditional Diffusion Model}, howpublished={arXiv:2502.19700}, year={2025}, eprint={2502.19700},
            archiveprefix={arXiv}}; most details are not public and are this project's choice""",
        scope="scene",
        guidance=3.0,
        text=True,
        uses_device=True,
        resumes=True,
        seconds=10.0,
        params=Params,
        presets={
            "tiny": {"size": "tiny", "latent": 4, "vae_steps": 25, "steps": 20, "sample_steps": 4},
            "paper": {
                "size": "paper", "latent": 32, "vae_steps": 20000, "class_weight": 0.0, "steps": 30000, "rate": 2e-4,
                "strength": 1.0, "weight": 1.0, "sample_steps": 50,
            },
        },
    )  # fmt: skip

    def fit(
        self, view: TrainView, *, seed: int, device: str, progress: Progress, checkpoint: Path | None = None
    ) -> FittedTxt2Hsi:
        """Train on labelled and unlabelled pixels; a training that was killed goes on from ``checkpoint``."""
        from hsiaug_builtin.txt2hsi.fit import learn

        return learn(view, self.params, seed, device, progress, checkpoint)

    def load(self, folder: Path, *, device: str) -> FittedTxt2Hsi:
        """Read a saved fit."""
        from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi

        arrays, facts = load_state(folder)
        return FittedTxt2Hsi.restore(arrays, facts, resampled(Params(**facts["params"]), self.params), device)
