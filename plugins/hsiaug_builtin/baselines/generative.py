"""Networks that learn a class-conditional distribution: a VAE and a WGAN-GP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.api import Card, Plugin, Progress, TrainView
from hsiaug_builtin.baselines._params import CvaeParams, WganParams

if TYPE_CHECKING:
    from hsiaug_builtin.baselines._learnt import Conditional, FittedLearnt


class _Generative(Plugin[Any]):
    """The common part. Both see real patches as principal components, per pixel, of the z-scored
    bands, counted from the mean of the centre spectra of the patch's class and in standard
    deviations within classes: so a class of three samples has its place from the data and only the
    deviations have to be learnt, for which all classes serve. That, and drawing a class of n_c
    samples in proportion to √n_c while training, is this project's choice and in none of the
    papers. A class of one sample gets the deviations of the others; a class without any is refused.

    A drawn sample is carried by a real patch of the class, each used equally often ±1: what the
    components cannot express (the noise, mostly) stays that patch's own. Neither takes guidance:
    their papers have none.
    """

    def _net(self) -> type[Conditional]:
        raise NotImplementedError

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedLearnt:
        """Train on the real patches. Raises PluginError where the training diverges."""
        from hsiaug_builtin.baselines._learnt import fit_component_network

        return fit_component_network(
            view,
            self.params,
            self._net(),
            generator=self.card.name,
            seed=seed,
            device=device,
            progress=progress,
        )

    def load(self, folder: Path, *, device: str) -> FittedLearnt:
        """Read a saved fit."""
        from hsiaug_builtin.baselines._learnt import restore

        return restore(self.card, folder, self._net(), device)


class Cvae(_Generative):
    """Conditional VAE of whole patches: convolutional encoder and decoder, a prior that is learnt
    per class, as section 4 of the paper allows (there the condition is an image, here a class).

    The decoder has one learnt standard deviation per component, which balances reconstruction and
    KL without a weight, and its noise is part of a sample: its mean alone would be too smooth.
    (Rybkin, Daniilidis and Levine, Simple and Effective VAE Training with Calibrated Decoders, ICML
    2021, arXiv:2006.13202, section 4.) Training patches are turned and mirrored.
    """

    card = Card(
        name="cvae",
        version="1",
        summary="Conditional VAE of patches of principal components",
        paper="""@inproceedings{sohn2015cvae, author={Kihyuk Sohn and Honglak Lee and Xinchen Yan},
            title={Learning Structured Output Representation using Deep Conditional Generative
            Models}, booktitle={Advances in Neural Information Processing Systems 28},
            year={2015}}""",
        uses_device=True,
        seconds=11.0,
        params=CvaeParams,
        presets={"tiny": {"components": 4, "latent": 4, "width": 8, "steps": 20, "batch": 16}},
    )

    def _net(self) -> type[Conditional]:
        from hsiaug_builtin.baselines._cvae import CvaeNetwork

        return CvaeNetwork


class Wgan(_Generative):
    """WGAN-GP of whole patches: algorithm 1 of the paper with Adam (β₁ = 0, β₂ = 0.9), λ = 10 and
    five steps of the critic, which is small, convolutional and without batch normalisation (section
    4).

    The paper conditions through an auxiliary classifier; here the class enters the critic by
    projection (Miyato and Koyama, cGANs with Projection Discriminator, ICLR 2018,
    arXiv:1802.05637), and the generator as a learnt vector. A few hundred steps of the generator at
    a higher rate, not 100,000: sized for hundreds of samples, and too few to learn all the
    pixel-to-pixel variation within a patch. Training patches are turned and mirrored.
    """

    card = Card(
        name="wgan",
        version="1",
        summary="Class-conditional WGAN-GP of patches of principal components",
        paper="""@inproceedings{gulrajani2017wgan, author={Ishaan Gulrajani and Faruk Ahmed and
            Martin Arjovsky and Vincent Dumoulin and Aaron Courville}, title={Improved Training of
            {Wasserstein} {GANs}}, booktitle={Advances in Neural Information Processing Systems 30},
            year={2017}, eprint={1704.00028}, archiveprefix={arXiv}}""",
        uses_device=True,
        seconds=22.0,
        params=WganParams,
        presets={
            "tiny": {
                "components": 4,
                "latent": 4,
                "width": 8,
                "steps": 8,
                "critic_steps": 2,
                "batch": 16,
            }
        },
    )

    def _net(self) -> type[Conditional]:
        from hsiaug_builtin.baselines._wgan import WganNetwork

        return WganNetwork
