"""What needs no mask, learnt once for all splits of the same tiles: spectral components, or the
VAE of images.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from hsiaug.api import DenseView, Progress, load_state, save_state
from hsiaug_builtin.nets import state
from hsiaug_builtin.specdm import codec, streams
from hsiaug_builtin.specdm.losses import Losses
from hsiaug_builtin.specdm.params import PaperParams, SpecDmParams
from hsiaug_builtin.specdm.pixel_components import SpectralComponents
from hsiaug_builtin.specdm.streams import PixelStream
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import PairRun, Pairs, check_room, smallest
from hsiaug_builtin.specdm.vae import StreamVae


@dataclass(frozen=True, eq=False)
class PreparedSpectra:
    """What ``mosaic`` compares pixels by."""

    spectra: SpectralComponents

    def save(self, folder: Path) -> None:
        """All state as safetensors and JSON."""
        save_state(folder, self.spectra.arrays(), {})

    @classmethod
    def restore(cls, folder: Path) -> PreparedSpectra:
        """Read what was saved."""
        return cls(SpectralComponents.restore(load_state(folder)[0]))


@dataclass(frozen=True, eq=False)
class PreparedNothing:
    """Where all is learnt of the pairs of the split."""

    def save(self, folder: Path) -> None:
        """Save that there is nothing."""
        save_state(folder, {}, {})


@dataclass(frozen=True, eq=False)
class PreparedImages:
    """The stream of images, learnt without any mask: a VAE, or one of single pixels.

    Attributes
    ----------
    format : TileFormat
        Of the images, without ids of masks.
    stream : StreamVae or PixelStream
        Trained.
    tiles : int
        How many it was trained on.
    """

    params: SpecDmParams | PaperParams
    format: TileFormat
    stream: StreamVae | PixelStream
    tiles: int

    def save(self, folder: Path) -> None:
        """All state as safetensors and JSON."""
        facts = {"params": asdict(self.params), "format": asdict(self.format), "tiles": self.tiles}
        save_state(folder, state.weights(image=self.stream), facts)

    @classmethod
    def restore(
        cls, folder: Path, kind: type[SpecDmParams | PaperParams], device: str
    ) -> PreparedImages:
        """Read what was saved, with params of a kind."""
        arrays, facts = load_state(folder)
        params = kind(**facts["params"])
        form = TileFormat.of_json(facts["format"])

        def build() -> StreamVae | PixelStream:
            if isinstance(params, PaperParams):
                return codec.image_stream(form, params, params.latent_image)
            latent = len(arrays["image.linear.inward"])
            return PixelStream(form.channels, latent, params.network.decoder_width)

        stream = state.restore("image", arrays, build, device)
        return cls(params, form, stream, facts["tiles"])


def learn_images(
    view: DenseView,
    params: SpecDmParams | PaperParams,
    losses: Losses,
    *,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
) -> PreparedImages:
    """Train the stream on tiles without masks, each drawn as often, by ``losses.image`` (eq. 1)."""
    check_room(view, params)
    form = TileFormat.of_images(view.real, smallest(view, params))
    x = form.images(view.real.images)
    even = torch.ones(len(view.real), 1)
    pairs = Pairs(
        x.to(device),
        x.new_zeros(x.shape[0], *x.shape[2:], dtype=torch.int64),
        even[:, 0].double(),
        even,
    )
    run = PairRun(
        seed=seed,
        device=device,
        progress=progress,
        checkpoint=checkpoint,
        format=form,
        pairs=pairs,
        params=params,
        losses=losses,
    )
    learn = codec.learn_image_stream if isinstance(params, PaperParams) else streams.image_stream
    return PreparedImages(params, form, learn(run), len(pairs))
