"""The hyper-parameters of ``txt2hsi``."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param

__all__ = ["PRECISIONS", "Params"]

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Params:
    """None of these is public for the paper; all are this project's choice.

    Strength, the filter and the default ω were chosen on draws 100 to 104 of Indian Pines under ``issd``, the weight on
    draws 100 to 102 under ``issd`` and 100 and 101 under ``random:0.05``.
    """

    text: str = param("both", "prompts: coarse, fine, both or class-id")
    encoder: str = param("minilm", "text encoder: minilm, openclip:MODEL/TAG, openclip:MODEL@FILE or scratch")
    latent: int = param(16, "channels of the latent", low=1)
    vae_width: int = param(128, "channels inside the VAE", low=1)
    reach: int = param(1, "side of the VAE's convolutions; 1 = pixel by pixel", unit="pixels", low=1)
    vae_steps: int = param(500, "optimiser steps of the VAE", low=1)
    vae_batch: int = param(512, "patches (pixels where reach is 1) per step of the VAE", low=1)
    vae_rate: float = param(4e-3, "peak learning rate of the VAE", low=0)
    kl: float = param(1e-3, "weight of the Kullback-Leibler term", low=0)
    angle: float = param(0.1, "weight of the spectral-angle term", low=0)
    class_weight: float = param(
        0.05, "weight of the class term of the VAE; 0 = unaware of classes, the paper's way", low=0
    )
    gate: float = param(3.0, "worst mean spectral angle of the VAE's reconstruction", unit="degrees", low=0)
    gate_probe: float = param(
        0.6, "least share of patches that a probe gives the same class after reconstruction", low=0, high=1
    )
    token: int = param(3, "side of the denoiser's tokens; 1 = a token per latent pixel", unit="pixels", low=1)
    width: int = param(64, "width of the denoiser", low=8)
    depth: int = param(3, "blocks of the denoiser", low=1)
    heads: int = param(4, "attention heads", low=1)
    steps: int = param(200, "optimiser steps of the denoiser", low=1)
    labelled: int = param(32, "patches with text per step", low=1)
    unlabelled: int = param(16, "patches without text per step; 0 = supervised", low=0)
    rate: float = param(2e-3, "peak learning rate of the denoiser", low=0)
    ema: float = param(0.99, "decay of the moving average of weights", low=0, high=1)
    drop: float = param(0.1, "share of texts dropped for guidance", low=0, high=1)
    precision: str = param("auto", "of the denoiser: float32, bfloat16, or auto = bfloat16 on a GPU that has it")
    noise_steps: int = param(1000, "noising steps T", low=2)
    rpsc: str = param("mix", "random polygon spatial clipping: mix, keep, erase or off")
    rpsc_share: float = param(0.5, "share of patches clipped", low=0, high=1)
    lfue: str = param("class", "uncertainty of latent features: class, batch or off")
    lfue_share: float = param(0.5, "share of steps perturbed", low=0, high=1)
    pseudo: bool = param(True, "give confident unlabelled pixels the text of their pseudo-label")
    pseudo_most: int = param(1000, "pseudo-labelled pixels of a class, at most", low=1)
    pseudo_share: float = param(0.8, "share of the pixels named so that is believed", low=0, high=1)
    strength: float = param(0.1, "noise that sampling starts from: 1 = pure noise, the paper's way", low=0, high=1)
    sample_steps: int = param(20, "denoising steps from pure noise; fewer from a weaker start", low=1)
    surplus: float = param(1.0, "samples drawn per sample kept by the reliability filter; 1 = no filter", low=1)
    light: bool = param(False, "show samples under another light, as the generator relight does")
    prior: str = param(
        "", "what hsiaug pretrain wrote: samples are training patches as other scenes expect them", file=True
    )
    weight: float = param(0.05, "sample weight of synthetic samples", low=0)
