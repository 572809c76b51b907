"""Fitted generators of pairs by a cascade of denoisers: training, sampling and saving."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseSamples, PairCounts, PluginError
from hsiaug_builtin.nets import state
from hsiaug_builtin.specdm.cascade import Cascade, level_note, steps_of, train_cascade
from hsiaug_builtin.specdm.codec_losses import losses_of
from hsiaug_builtin.specdm.crops import Cropping, crops
from hsiaug_builtin.specdm.drawing import Batch, JointPairs, read_saved
from hsiaug_builtin.specdm.params import LdmParams, SpecDmParams, levels_of
from hsiaug_builtin.specdm.streams import DECODER, PixelCodec, PixelStream, built, fit_codec
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import PairRun, turned


@dataclass(frozen=True, eq=False)
class FittedCascadePairs(JointPairs):
    """A codec and a cascade. What the denoisers know of a pair is a class that it shows.

    With ``strength`` < 1 each pair starts from a training tile, noised so far, and keeps the more
    of it the less that is (an extension).

    Attributes
    ----------
    joint : (n, d, P, P) float32
        Latents of the training pairs, whose masks pairs have where ``masks`` is "moved".
    """

    params: LdmParams
    format: TileFormat
    codec: PixelCodec
    cascade: Cascade
    shares: NDArray[np.float32]
    joint: NDArray[np.float32]
    facts: Mapping[str, Any]
    device: str

    def _batch(
        self,
        rows: NDArray[np.int64],
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Batch:
        shown = 0
        if c is not None and self.params.condition == "class":
            shown = 1 + self.format.ids.index(c)
        start = torch.from_numpy(self.joint[rows])
        given = None
        if isinstance(self.params, SpecDmParams) and self.params.masks == "moved":
            start = self._moved(start, torch_rng)
            given = start[:, -self.codec.masks :]
        return self._sample(start, given, shown, omega, torch_rng)

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Pairs; their provenance says where the masks are from."""
        made = super().sample(counts, guidance=guidance, seed=seed)
        masks = self.params.masks if isinstance(self.params, SpecDmParams) else "sampled"
        return replace(made, provenance={**made.provenance, "masks": masks})

    def images_for(
        self, masks: NDArray[np.int64], *, guidance: float | None, seed: int
    ) -> DenseSamples:
        """Make an image for each mask, of any size; ω is not used, as a mask says all that is asked
        for.

        Raises
        ------
        PluginError
            For a mask with ids that no training tile has, or with the same id everywhere.
        """
        found = [int(c) for c in np.unique(masks)]
        if unknown := sorted(set(found) - set(self.format.ids)):
            raise PluginError(
                f"a mask may have the class ids of training tiles, {_listed(self.format.ids)}",
                value=_listed(unknown),
                hint="Replace these ids, or label some pixels of these classes.",
            )
        if len(found) < 2:
            raise PluginError(
                "a mask must show two classes or more, or a class and pixels without one",
                value=f"id {_listed(found)} everywhere",
                hint="Draw the border of a class.",
            )
        form = replace(self.format, side=max(masks.shape[1:]))
        square = [(0, form.side - size) for size in masks.shape[1:]]
        padded = np.pad(masks, [(0, 0), *square], mode="edge")
        one_hot = form.one_hot(form.masks(padded)).to(self.device)
        rng = torch.Generator().manual_seed(seed)
        given = self.codec.encode_masks(one_hot)
        start = given.new_zeros(len(masks), self.joint.shape[1], *given.shape[2:])
        plain = replace(self, format=form, params=replace(self.params, strength=1.0))
        images, _, _ = plain._sample(start, given, 0, 0.0, rng)
        height, width = masks.shape[1:]
        return DenseSamples.made(
            images[..., :height, :width],
            masks,
            confidence=np.ones(masks.shape, dtype=np.float32),
            provenance=dict(self.facts),
        )

    def _moved(self, tiles: Tensor, rng: torch.Generator) -> Tensor:
        """Latents of training tiles (n, d, P, P), turned to any angle and moved a little."""
        how = Cropping(
            factor=1,
            side=tiles.shape[-1],
            masks=self.codec.masks,
            turned=turned(self.params),
            rotated=self.params.rotated,
        )
        return crops(tiles, how, rng)[0]

    @torch.inference_mode()
    def _sample(
        self, start: Tensor, given: Tensor | None, shown: int, omega: float, rng: torch.Generator
    ) -> Batch:
        z = self.cascade.sample(
            start.to(self.device),
            torch.full((len(start),), shown, device=self.device),
            steps=self.params.sample_steps,
            strength=self.params.strength,
            omega=omega,
            rng=rng,
            given=None if given is None else given.to(self.device),
        )
        decoded, shares = self.codec.decode(z)
        return self.format.images_back(decoded), *self.format.masks_back(shares)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {**super().arrays(), **state.weights(codec=self.codec, cascade=self.cascade)}

    @classmethod
    def restore(cls, folder: Path, current: LdmParams, device: str) -> FittedCascadePairs:
        """Read a saved fit; ``current`` has the params that only sampling reads."""
        arrays, saved = read_saved(folder, current)
        params, form = saved["params"], saved["format"]
        classes = len(form.ids)
        width = params.network.decoder_width
        joint = arrays["joint"]
        codec = state.restore(
            "codec", arrays, lambda: built(arrays, form.channels, classes, width), device
        )
        return cls(
            **saved,
            codec=codec,
            cascade=state.restore(
                "cascade",
                arrays,
                lambda: Cascade(joint.shape[1], codec.masks, classes, joint.shape[-1], params),
                device,
            ),
            shares=arrays["shares"],
            joint=joint,
            device=device,
        )


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))


@torch.no_grad()
def _joint(codec: PixelCodec, run: PairRun) -> torch.Tensor:
    return codec.encode(run.pairs.x, run.format.one_hot(run.pairs.y))


def fit_cascade(run: PairRun, images: PixelStream | None, *, single: bool) -> FittedCascadePairs:
    """Learn the codec, where it is not learnt yet, and then the denoisers of all levels.

    Parameters
    ----------
    images : PixelStream or None
        The stream of images, where it was learnt before.
    single : bool
        Whether the codec has one stream.
    """
    params = run.params
    assert isinstance(params, LdmParams)
    levels = levels_of(run.format.padded)
    steps = {} if images else {DECODER: params.decoder_steps}
    steps |= {level_note(i, levels): steps_of(params, levels - 1 - i) for i in range(levels)}
    run = run.of_stages(steps)
    codec = fit_codec(run, images, single=single).requires_grad_(False)
    joint = _joint(codec, run)
    cascade = train_cascade(run, joint, codec.weights(joint, run.format.dates), codec.masks)
    weights = sum(p.numel() for p in cascade.parameters())
    facts = {
        **losses_of(codec, run),
        "levels": len(cascade.levels),
        "latents": joint.shape[1],
        "scale": run.format.scale,
        "shift": run.format.shift,
        "tiles": len(run.pairs),
        "denoiser_weights": weights,
    }
    return FittedCascadePairs(
        params=params,
        format=run.format,
        codec=codec,
        cascade=cascade,
        shares=run.pairs.shares.numpy(),
        joint=joint.cpu().numpy(),
        facts=facts,
        device=run.device,
    )
