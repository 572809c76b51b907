"""The generator ``txt2hsi``: its card, its hyper-parameters, and its training from end to end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hsiaug.api import Card, Progress, TrainView, load_state, param

if TYPE_CHECKING:
    from hsiaug_txt2hsi.fitted import FittedTxt2Hsi

__all__ = ["Params", "Txt2Hsi"]


@dataclass(frozen=True)
class Params:
    """None of these is public for the paper; all are this project's choice.

    Strength, weight, the filter and the default ω were chosen on draws 100 to 104 of Indian Pines under ``issd``.
    """

    text: str = param("both", "prompts: coarse, fine, both or class-id")
    encoder: str = param("minilm", "text encoder: minilm, openclip:MODEL/TAG, openclip:MODEL@FILE or scratch")
    latent: int = param(16, "channels of the latent", low=1)
    vae_width: int = param(128, "channels inside the VAE", low=1)
    reach: int = param(1, "side of the VAE's convolutions; 1 = pixel by pixel", unit="pixels", low=1)
    vae_steps: int = param(1500, "optimiser steps of the VAE", low=1)
    vae_batch: int = param(512, "patches (pixels where reach is 1) per step of the VAE", low=1)
    vae_rate: float = param(2e-3, "peak learning rate of the VAE", low=0)
    kl: float = param(1e-3, "weight of the Kullback-Leibler term", low=0)
    angle: float = param(0.1, "weight of the spectral-angle term", low=0)
    class_weight: float = param(
        0.05, "weight of the class term of the VAE; 0 = unaware of classes, the paper's way", low=0
    )
    gate: float = param(3.0, "worst mean spectral angle of the VAE's reconstruction", unit="degrees", low=0)
    width: int = param(64, "width of the denoiser", low=8)
    depth: int = param(3, "blocks of the denoiser", low=1)
    heads: int = param(4, "attention heads", low=1)
    steps: int = param(400, "optimiser steps of the denoiser", low=1)
    labelled: int = param(32, "patches with text per step", low=1)
    unlabelled: int = param(16, "patches without text per step; 0 = supervised", low=0)
    rate: float = param(2e-3, "peak learning rate of the denoiser", low=0)
    ema: float = param(0.99, "decay of the moving average of weights", low=0, high=1)
    drop: float = param(0.1, "share of texts dropped for guidance", low=0, high=1)
    noise_steps: int = param(1000, "noising steps T", low=2)
    rpsc: str = param("mix", "random polygon spatial clipping: mix, keep, erase or off")
    rpsc_share: float = param(0.5, "share of patches clipped", low=0, high=1)
    lfue: str = param("class", "uncertainty of latent features: class, batch or off")
    lfue_share: float = param(0.5, "share of steps perturbed", low=0, high=1)
    pseudo: bool = param(True, "give confident unlabelled pixels the text of their pseudo-label")
    pseudo_most: int = param(100, "pseudo-labelled pixels of a class, at most", low=1)
    pseudo_share: float = param(0.2, "share of the pixels named so that is believed", low=0, high=1)
    strength: float = param(0.2, "noise that sampling starts from: 1 = pure noise, the paper's way", low=0, high=1)
    sample_steps: int = param(20, "denoising steps from pure noise; fewer from a weaker start", low=1)
    surplus: float = param(1.0, "samples drawn per sample kept by the reliability filter; 1 = no filter", low=1)
    weight: float = param(0.5, "sample weight of synthetic samples", low=0)


class Txt2Hsi:
    """Learns a VAE, pseudo-labels and a text-conditioned denoiser from one scene."""

    card: ClassVar[Card] = Card(
        name="txt2hsi",
        version="1",
        summary="Semi-supervised text-conditioned latent diffusion, Txt2HSI-LDM(VAE), reimplemented",
        paper="Zhu and Xu, arXiv 2502.19700; most details are not public and are this project's choice",
        scope="scene",
        guidance=3.0,
        text=True,
        uses_device=True,
        seconds=75.0,
        params=Params,
        presets={
            "tiny": {
                "latent": 4, "vae_width": 16, "vae_steps": 60, "vae_batch": 64, "width": 16, "depth": 1, "heads": 2,
                "steps": 20, "labelled": 8, "unlabelled": 8, "sample_steps": 4, "encoder": "scratch", "gate": 90.0,
            },
            "paper": {
                "reach": 3, "latent": 32, "vae_width": 256, "vae_steps": 20000, "vae_batch": 256, "width": 640,
                "depth": 12, "heads": 10, "steps": 30000, "labelled": 128, "unlabelled": 128, "rate": 2e-4,
                "ema": 0.9999, "strength": 1.0, "weight": 1.0, "sample_steps": 50, "vae_rate": 1e-3, "kl": 1e-4,
            },
        },
    )  # fmt: skip

    def __init__(self, params: Params) -> None:
        self.params = params

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedTxt2Hsi:
        from hsiaug_txt2hsi.learn import learn

        return learn(view, self.params, seed, device, progress)

    def load(self, folder: Path, *, device: str) -> FittedTxt2Hsi:
        from hsiaug_txt2hsi.fitted import FittedTxt2Hsi

        arrays, facts = load_state(folder)
        return FittedTxt2Hsi.restored(arrays, facts, Params(**facts["params"]), device)


def params_json(params: Params) -> dict[str, Any]:
    """Hyper-parameters as JSON."""
    return asdict(params)
