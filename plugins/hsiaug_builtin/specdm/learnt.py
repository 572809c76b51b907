"""Fitted generators of pairs by a cascade of local denoisers: training, sampling and saving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug_builtin.nets import state
from hsiaug_builtin.specdm.cascade import Cascade, train_cascade
from hsiaug_builtin.specdm.codec_losses import losses_of
from hsiaug_builtin.specdm.drawing import Batch, JointPairs, read_saved
from hsiaug_builtin.specdm.params import LdmParams
from hsiaug_builtin.specdm.streams import PixelCodec, PixelStream, built, fit_codec
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import PairRun


@dataclass(frozen=True, eq=False)
class FittedLocalPairs(JointPairs):
    """A codec and a cascade. What the denoisers are told is the class that a pair shall show.

    With ``strength`` < 1 each pair starts from a training tile, noised so far, and keeps the more
    of it the less that is (an extension).

    Attributes
    ----------
    joint : (n, d, P, P) float32
        Latents of the training pairs, which sampling may start from.
    """

    params: LdmParams
    format: TileFormat
    codec: PixelCodec
    cascade: Cascade
    shares: NDArray[np.float32]
    joint: NDArray[np.float32]
    facts: Mapping[str, Any]
    device: str

    @torch.inference_mode()
    def _batch(
        self,
        rows: NDArray[np.int64],
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Batch:
        told = 0 if c is None or self.params.told == "nothing" else 1 + self.format.ids.index(c)
        z = self.cascade.sample(
            torch.from_numpy(self.joint[rows]).to(self.device),
            torch.full((len(rows),), told, device=self.device),
            steps=self.params.sample_steps,
            strength=self.params.strength,
            omega=omega,
            rng=torch_rng,
        )
        decoded, shares = self.codec.decode(z)
        return self.format.images_back(decoded), *self.format.masks_back(shares)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {**super().arrays(), **state.weights(codec=self.codec, cascade=self.cascade)}

    @classmethod
    def restore(cls, folder: Path, current: LdmParams, device: str) -> FittedLocalPairs:
        """Read a saved fit; ``current`` has the params that only sampling reads."""
        arrays, saved = read_saved(folder, current)
        params, form = saved["params"], saved["format"]
        classes = len(form.ids)
        width = params.network.decoder_width
        joint = arrays["joint"]
        return cls(
            **saved,
            codec=state.restore(
                "codec", arrays, lambda: built(arrays, form.channels, classes, width), device
            ),
            cascade=state.restore(
                "cascade",
                arrays,
                lambda: Cascade(joint.shape[1], classes, joint.shape[-1], params),
                device,
            ),
            shares=arrays["shares"],
            joint=joint,
            device=device,
        )


@torch.no_grad()
def _joint(codec: PixelCodec, run: PairRun) -> torch.Tensor:
    return codec.encode(run.pairs.x, run.format.one_hot(run.pairs.y))


def fit_local(run: PairRun, images: PixelStream | None, *, single: bool) -> FittedLocalPairs:
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
    codec = fit_codec(run, images, single=single).requires_grad_(False)
    joint = _joint(codec, run)
    cascade = train_cascade(run, joint, codec.weights(joint, run.format.dates), codec.masks)
    weights = sum(p.numel() for p in cascade.parameters())
    facts = {
        "denoiser": "local",
        **losses_of(codec, run),
        "levels": len(cascade.levels),
        "latents": joint.shape[1],
        "scale": run.format.scale,
        "shift": run.format.shift,
        "tiles": len(run.pairs),
        "denoiser_weights": weights,
    }
    return FittedLocalPairs(
        params=params,
        format=run.format,
        codec=codec,
        cascade=cascade,
        shares=run.pairs.shares.numpy(),
        joint=joint.cpu().numpy(),
        facts=facts,
        device=run.device,
    )
