"""Training and evaluation speed of txt2hsi's denoiser beside a diffusers model of the same
parameter count.

    pip install diffusers
    python -m benchmarks.speed.denoiser [DEVICE [SIZE]]

DEVICE is cpu where nothing is said, SIZE one of those of txt2hsi. A GPU computes in bfloat16, and
compiled, too. The peer is diffusers' PixArtTransformer2DModel with a token for each pixel. It
attends over the latent's pixels, where ours has convolutions, and over the words, where ours reads
mentions, with adaLN time conditioning. Depth is equal; its width is the one that brings its number
of weights nearest to ours.

Both learn with AdamW, and are evaluated without gradients, on batches of the default's sizes; they
take turns, so that another process's load meets both. Prints the medians and their ratio, by
seconds and by operation, as torch counts those of matrix products; above 1, ours is faster. First,
as a ceiling, what one product of two square float32 matrices gives on the core; last, a training
step of our VAE, which has no peer.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.common import check_usage, say
from benchmarks.operations import operation_counter
from hsiaug_builtin.text.layout import RELATIONS
from hsiaug_builtin.txt2hsi.denoiser import NOUN, Denoiser, Said
from hsiaug_builtin.txt2hsi.fitted import AT_ONCE_ON_CPU, BATCH
from hsiaug_builtin.txt2hsi.lessons import MENTIONS
from hsiaug_builtin.txt2hsi.params import Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import untrained_denoiser
from hsiaug_builtin.txt2hsi.vae import CodecLoss, Vae

SIDE, EMBEDDING, NOUNS = 9, 384, 32
WORDS, PEER_HEADS = 32, 4
"""Words of a text, and heads, of the peer."""
BANDS, PIXELS = 200, 10_000
"""Of the VAE."""
ROUNDS, STEPS = 7, 5


@dataclass(frozen=True)
class Row:
    """Medians of ours, and of the peer where there is one: things done in a second, and
    floating-point operations.
    """

    what: str
    rates: list[float]
    operations: list[float]

    def __str__(self) -> str:
        names = ("txt2hsi", "diffusers")
        done = ", ".join(
            f"{name} {rate:.2f}" for name, rate in zip(names, self.rates, strict=False)
        )
        counted = " and ".join(f"{one / 1e9:.0f}" for one in self.operations)
        if len(self.rates) == 1:
            return f"{self.what}: {done}; {counted} GFLOP/s"
        ratios = [own / other for own, other in (self.rates, self.operations)]
        return (
            f"{self.what}: {done}, ratio {ratios[0]:.2f}; {counted} GFLOP/s, ratio {ratios[1]:.2f}"
        )


def main() -> None:
    device, name = [*sys.argv[1:], *("cpu", "small")[len(sys.argv) - 1 :]]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.device(device), torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):
        edge = 1024 if device == "cpu" else 8192
        say(f"a product of {edge} × {edge} matrices: {ceiling(edge) / 1e9:.0f} GFLOP/s")
        for row in compare(Txt2HsiParams(size=name, latent=64 if name == "paper" else 40), device):
            say(str(row))


def compare(params: Txt2HsiParams, device: str) -> Iterator[Row]:
    """What both do in a second."""
    size = params.network
    ours = our_denoiser(params)
    peer = nearest_peer(params, weights(ours))
    say(f"weights: txt2hsi {weights(ours):,}, diffusers {weights(peer):,}")
    for batch in {size.batch, size.scene_batch}:
        mine = training(ours, ask_ours(ours, params, batch))
        theirs = training(peer, ask_peer(peer, params, batch))
        yield row(f"training steps/s of {batch}", STEPS, mine, theirs)
    at_once = AT_ONCE_ON_CPU if device == "cpu" else BATCH
    mine = evaluating(ours, ask_ours(ours, params, at_once))
    theirs = evaluating(peer, ask_peer(peer, params, at_once))
    yield row("evaluations of patches/s", at_once, mine, theirs)
    if device != "cpu":
        batch = size.scene_batch
        ours, peer = torch.compile(ours), torch.compile(peer)  # type: ignore[assignment]
        mine = training(ours, ask_ours(ours, params, batch))
        theirs = training(peer, ask_peer(peer, params, batch))
        yield row(f"compiled, training steps/s of {batch}", STEPS, mine, theirs)
    yield vae_steps(params, device)


def vae_steps(params: Txt2HsiParams, device: str) -> Row:
    """Training steps a second of our VAE."""
    # Its pixels are drawn by a generator of the CPU.
    with torch.device("cpu"):
        what = f"training steps/s of the VAE, {params.network.vae_batch} pixels"
        return row(what, STEPS, training(*our_vae(params, device)))


def our_denoiser(params: Txt2HsiParams) -> Denoiser:
    """The denoiser of the size that the params name."""
    shape = SIDE, SIDE, params.latent
    weight = torch.ones(params.latent)
    return untrained_denoiser(torch.zeros(shape), torch.ones(shape), weight, params, EMBEDDING)


def our_vae(params: Txt2HsiParams, device: str = "cpu") -> tuple[Vae, Callable[[], Tensor]]:
    """The VAE of the size that the params name, and its loss on a batch of made-up pixels."""
    size = params.network
    vae = Vae(BANDS, params.latent, size.vae_width).to(device)
    codec = CodecLoss(
        torch.randn(PIXELS, BANDS).to(device),
        torch.zeros(BANDS).to(device),
        torch.ones(BANDS).to(device),
        size.vae_batch,
    )
    draw = torch.Generator()
    return vae, lambda: codec.loss(vae, draw)


def ceiling(edge: int) -> float:
    """Floating-point operations a second of one matrix product, the median of ``ROUNDS``."""
    a, b = torch.randn(2, edge, edge)
    torch.mm(a, b)
    return 2 * edge**3 / statistics.median(seconds(lambda: torch.mm(a, b)) for _ in range(ROUNDS))


def seconds(run: Callable[[], Any]) -> float:
    """Processor seconds of a call; with a GPU those by the clock until it has ended."""
    if not torch.cuda.is_available():
        start = time.process_time()
        run()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def weights(model: nn.Module) -> int:
    """The number of parameters."""
    return sum(p.numel() for p in model.parameters())


def nearest_peer(params: Txt2HsiParams, size: int) -> nn.Module:
    """The peer with, by its width, about ``size`` weights."""
    # Not installed with hsiaug: other scripts of this folder do without it.
    from diffusers import PixArtTransformer2DModel

    models: Iterator[nn.Module] = (
        PixArtTransformer2DModel(
            num_attention_heads=PEER_HEADS,
            attention_head_dim=head,
            in_channels=params.latent,
            out_channels=params.latent,
            num_layers=params.network.depth,
            cross_attention_dim=PEER_HEADS * head,
            sample_size=SIDE,
            patch_size=1,
            caption_channels=EMBEDDING,
            use_additional_conditions=False,
        )
        for head in (range(6, 37, 2) if params.size == "small" else range(40, 190, 4))
    )
    return min(models, key=lambda model: abs(weights(model) - size))


def ask_ours(model: Denoiser, params: Txt2HsiParams, n: int) -> Callable[[], Tensor]:
    """Evaluate our denoiser on n patches under sentences."""
    x = torch.randn(n, SIDE, SIDE, params.latent)
    said, nouns = made_up_sentences(n)
    return lambda: model(x, torch.ones(n), said, nouns)[0]


def made_up_sentences(n: int) -> tuple[Said, Tensor]:
    """Sentences of n patches, as long as they can be, and what they refer to."""
    place = torch.arange(n * MENTIONS).reshape(n, MENTIONS)
    said = Said(place % NOUNS, place % len(RELATIONS), torch.zeros(n))
    return said, torch.randn(NOUNS, NOUN)


def ask_peer(model: nn.Module, params: Txt2HsiParams, n: int) -> Callable[[], Tensor]:
    """Evaluate the peer on n patches under texts."""
    mask = torch.arange(WORDS)[None].expand(n, -1) < WORDS - 4
    z, text = torch.randn(n, params.latent, SIDE, SIDE), torch.randn(n, WORDS, EMBEDDING)
    return lambda: (
        model(
            z,
            encoder_hidden_states=text,
            timestep=torch.full((n,), 500),
            encoder_attention_mask=mask,
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        ).sample
    )


def training(model: nn.Module, ask: Callable[[], Tensor]) -> Callable[[], None]:
    """``STEPS`` steps: loss, gradients, clipping, AdamW."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def run() -> None:
        model.train()
        for _ in range(STEPS):
            optimiser.zero_grad(set_to_none=True)
            ask().square().mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()

    return run


def evaluating(model: nn.Module, ask: Callable[[], Tensor]) -> Callable[[], None]:
    """One evaluation without gradients."""

    def run() -> None:
        model.eval()
        with torch.inference_mode():
            ask()

    return run


def row(what: str, count: int, *runs: Callable[[], Any]) -> Row:
    """How many of ``count`` things a second each run does, by the median of ``ROUNDS`` in turn."""
    took: list[list[float]] = [[] for _ in runs]
    for turn in range(ROUNDS + 1):
        for run, own in zip(runs, took, strict=True):
            passed = seconds(run)
            if turn:  # the first warms up
                own.append(passed)
    medians = [statistics.median(own) for own in took]
    counted = [operations(run) / median for run, median in zip(runs, medians, strict=True)]
    return Row(what, [count / median for median in medians], counted)


def operations(run: Callable[[], Any]) -> int:
    """Floating-point operations of matrix products."""
    with torch.compiler.set_stance("force_eager"), operation_counter() as counter:
        run()
    return int(counter.get_total_flops())


if __name__ == "__main__":
    check_usage(__doc__, 0, 2)
    main()
