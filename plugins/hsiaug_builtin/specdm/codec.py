"""The codecs of pairs: two streams that share nothing (SpecDM), the mask's alone, or one of
everything (its baseline).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot as as_one_hot

from hsiaug.api import derive_seed
from hsiaug_builtin.diffusion.training import randomness, train
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.nets.views import SYMMETRIES
from hsiaug_builtin.specdm.classwise import ClassUnits
from hsiaug_builtin.specdm.losses import Compare
from hsiaug_builtin.specdm.params import LatentParams, PaperParams
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import PairRun, turned
from hsiaug_builtin.specdm.vae import STEM, StreamVae

ENCODED = 64
"""Tiles that are encoded at a time."""
IMAGE_VAE, MASK_VAE = "image VAE", "mask VAE"
"""The streams' names in the progress; their seeds depend on them too."""
SHARP = 10.0
"""Factor from the values of a mask's components, about 0 and 1, to the scores of classes."""


class Codec(nn.Module):
    """Between pairs and their joint latents.

    Attributes
    ----------
    trained : str
        The name of what :meth:`fit` trains, in its progress.
    """

    trained: ClassVar[str] = MASK_VAE

    def __init__(self, form: TileFormat, params: LatentParams) -> None:
        super().__init__()

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        """Latent means (n, d, h, w) of images (n, T·B, P, P) and masks (n, K, P, P)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, T·B, P, P), of no channel where there is no stream of them, and shares of
        classes (n, K, P, P), which sum to 1.
        """
        raise NotImplementedError

    def weights(self) -> Tensor | None:
        """(d,) weights of the latent channels in the loss of the denoiser, whose sum is 1; None =
        all weigh the same.
        """
        return None

    def fit_inputs(self, x: Tensor, one_hot: Tensor) -> None:
        """Take from the training pairs what is not trained by steps."""

    def fit(self, run: PairRun) -> None:
        """Train the streams one after the other: the sum of losses that share no weight is trained
        the same apart.
        """
        raise NotImplementedError


class TwoStream(Codec):
    """A VAE of the images and one of the mask, whose latents are laid side by side, the image's in
    units of what is usual for the classes of the mask.

    Trained by ``losses.mask`` (eq. 2); the images' VAE is trained before, without masks. The units
    are ours.
    """

    spread: Tensor

    def __init__(self, form: TileFormat, params: LatentParams) -> None:
        super().__init__(form, params)
        assert isinstance(params, PaperParams)
        self.split = params.latent_image
        self.mask_channels = params.latent_mask
        self.image = image_stream(form, params, self.split)
        self.mask = _mask_stream(form, params, linear=params.start == "components")
        self.sharp = SHARP if params.start == "components" else 1.0
        self.mask_share = params.mask_share
        classwise = params.units == "classes"
        self.units = (
            ClassUnits(self.split, len(form.ids), params.factor_of(form.side))
            if classwise
            else None
        )
        self.register_buffer("spread", torch.ones(self.split))

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        z = self.image.encode(x)
        return torch.cat(
            [z if self.units is None else self.units(z, one_hot), self.mask.encode(one_hot)], dim=1
        )

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.sharp * self.mask.decode(z[:, self.split :])
        if self.units is None:
            return self.image.decode(z[:, : self.split]), scores.softmax(dim=1)
        masks = as_one_hot(scores.argmax(dim=1), scores.shape[1]).movedim(-1, 1).float()
        return self.image.decode(self.units.back(z[:, : self.split], masks)), scores.softmax(dim=1)

    def weights(self) -> Tensor | None:
        """The mask's channels have ``mask_share``, the image's the rest, each by how much it
        changes an image (ours).
        """
        if not self.mask_share:
            return None
        even = self.spread.new_full((self.mask_channels,), self.mask_share / self.mask_channels)
        return torch.cat([(1 - self.mask_share) * self.spread / self.spread.sum(), even])

    def fit_inputs(self, x: Tensor, one_hot: Tensor) -> None:
        self.mask.fit_input(one_hot)

    def fit(self, run: PairRun) -> None:
        _fit_masks(run, self.mask, self.sharp)
        if self.units is not None:
            self._fit_units(run, self.units)

    @torch.no_grad()
    def _fit_units(self, run: PairRun, units: ClassUnits) -> None:
        """From all training tiles in every turn."""
        parts = []
        pairs = run.pairs
        views = SYMMETRIES if turned(run.params) else 1
        for turn in range(views):
            for rows in torch.split(torch.arange(len(pairs)), ENCODED):
                turns = [turn] * len(rows)
                z = self.image.encode(run.cut(pairs.x, rows, turns))
                parts.append((z, run.cut(pairs.y, rows, turns)))
        labelled = torch.tensor([c != 0 for c in run.format.ids], device=run.device)
        units.fit_input(parts, labelled, views)
        if self.image.linear is None:
            return
        changes = (self.image.linear.outward @ units.factors().float()).norm(dim=1)  # (K, d)
        self.spread.copy_(pairs.shares.mean(dim=0).to(changes) @ changes)


class MaskStream(Codec):
    """A VAE of the mask alone: images are made for the masks that it gives. Trained by
    ``losses.mask``.
    """

    def __init__(self, form: TileFormat, params: LatentParams) -> None:
        super().__init__(form, params)
        self.mask = _mask_stream(form, params)

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return self.mask.encode(one_hot)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        shares = self.mask.decode(z).softmax(dim=1)
        return shares[:, :0], shares

    def fit(self, run: PairRun) -> None:
        _fit_masks(run, self.mask)


class OneStream(Codec):
    """One stream of image and one-hot mask; its latents cannot be told apart, and are as many as
    the two streams'.

    Trained by ``losses.pair``.
    """

    trained = "VAE"

    def __init__(self, form: TileFormat, params: LatentParams) -> None:
        super().__init__(form, params)
        assert isinstance(params, PaperParams)
        self.bands = form.channels
        classes = len(form.ids)
        latent = params.latent_image + params.latent_mask
        self.both = image_stream(form, params, latent, classes)

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return self.both.encode(torch.cat([x, one_hot], dim=1))

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        out = self.both.decode(z)
        # One-hot values, not scores: the largest is the class, its part of what is above 0 the
        # confidence.
        shares = out[:, self.bands :].clamp(min=1e-6)
        return out[:, : self.bands], shares / shares.sum(dim=1, keepdim=True)

    def fit_inputs(self, x: Tensor, one_hot: Tensor) -> None:
        self.both.fit_input(torch.cat([x, one_hot], dim=1))

    def fit(self, run: PairRun) -> None:
        form = run.format
        pairs = run.pairs
        assert isinstance(run.params, PaperParams)

        def read(rows: Tensor, turns: list[int]) -> Tensor:
            return torch.cat(
                [run.cut(pairs.x, rows, turns), form.one_hot(run.cut(pairs.y, rows, turns))], dim=1
            )

        fit_stream(run, self.both, read, run.losses.pair, self.trained, run.params.vae_steps)


def fit_codec(kind: type[Codec], run: PairRun, images: StreamVae | None = None) -> Codec:
    """A codec of that kind, trained on the pairs.

    Parameters
    ----------
    images : StreamVae or None
        The VAE of images that a codec of two streams takes; None = it is learnt of these pairs.
    """
    params = run.params
    assert isinstance(params, LatentParams)
    codec = fresh(lambda: kind(run.format, params), run.seed)
    pairs = run.pairs
    if isinstance(codec, TwoStream):
        images = learn_image_stream(run) if images is None else images
        codec.image.load_state_dict(images.state_dict())
        codec.image.requires_grad_(False)
    codec.fit_inputs(pairs.x.cpu(), run.format.one_hot(pairs.y.cpu()))
    codec = codec.to(run.device)
    codec.fit(run)
    return codec


def image_stream(form: TileFormat, params: PaperParams, latent: int, classes: int = 0) -> StreamVae:
    """A VAE of images, or of images and masks of so many classes."""
    channels = form.channels + classes
    factor = params.factor_of(form.side)
    size = params.network
    linear = params.start == "components"
    return StreamVae(
        channels, latent, factor, size, width=size.vae_width, stem=STEM + classes, linear=linear
    )


def learn_image_stream(run: PairRun) -> StreamVae:
    """A VAE of the images of a run's pairs, trained by ``losses.image`` (eq. 1) without their
    masks.
    """
    params = run.params
    form = run.format
    pairs = run.pairs
    assert isinstance(params, PaperParams)
    stream = fresh(lambda: image_stream(form, params, params.latent_image), run.seed)
    stream.fit_input(pairs.x.cpu())
    stream = stream.to(run.device)

    def loss(out: Tensor, aim: Tensor) -> Tensor:
        return run.losses.image(form.apart(out), form.apart(aim))

    fit_stream(
        run,
        stream,
        lambda rows, turns: run.cut(pairs.x, rows, turns),
        loss,
        IMAGE_VAE,
        params.image_steps,
    )
    return stream


def _mask_stream(form: TileFormat, params: LatentParams, linear: bool = False) -> StreamVae:
    size = params.network
    classes = len(form.ids)
    factor = params.factor_of(form.side)
    return StreamVae(
        classes,
        params.latent_mask,
        factor,
        size,
        width=size.mask_width,
        stem=classes,
        linear=linear,
    )


def _fit_masks(run: PairRun, vae: StreamVae, sharp: float = 1.0) -> None:
    assert isinstance(run.params, LatentParams)

    def masks(rows: Tensor, turns: list[int]) -> Tensor:
        return run.format.one_hot(run.cut(run.pairs.y, rows, turns))

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return run.losses.mask(sharp * out, y)

    fit_stream(run, vae, masks, loss, MASK_VAE, run.params.vae_steps)


def fit_stream(
    run: PairRun,
    stream: StreamVae,
    batch_of: Callable[[Tensor, list[int]], Tensor],
    loss: Compare,
    note: str,
    steps: int,
) -> None:
    """Train a stream where it is. read(rows, turns): a batch. loss(out, batch): without what is
    added for the latents.
    """
    params = run.params
    seed = derive_seed(note, run.seed)

    def value(step: int) -> Tensor:
        rng = randomness(seed, step)
        x = batch_of(*run.rows(rng))
        mean, log_variance = stream.posterior(x)
        out = stream.decode(mean + (0.5 * log_variance).exp() * run.noise(mean, rng))
        return loss(out, x) + params.network.kl * run.losses.latents(mean, log_variance)

    train(
        stream,
        value,
        steps=steps,
        rate=params.network.vae_rate,
        progress=run.progress,
        note=note,
        fused=True,
        checkpoint=run.file(note.replace(" ", "-")),
    )
