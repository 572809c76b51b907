"""Training and sampling speed of txt2hsi's denoiser beside a diffusers model of the same parameter count.

    pip install diffusers
    python -m benchmarks.speed.denoiser

The peer is diffusers' PixArtTransformer2DModel: it too attends over the latent's pixels and over the words, with adaLN
time conditioning. Depth and heads are equal; its width is the one that brings its number of weights nearest to ours. It
is measured twice: with a token per latent pixel, as such a model comes, and with as large tokens as ours. Both train with
AdamW on the same batch and are sampled as the default does, by two guided DDIM steps from a tenth of the noise; they take
turns, so that another process's load meets both. Prints the medians and their ratio, by seconds and by operation,
as torch counts those of matrix products; above 1, ours is faster. First, as a ceiling, what one product of two square
float32 matrices gives on the core.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from diffusers import DDIMScheduler, PixArtTransformer2DModel
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.common import say
from hsiaug_builtin.diffusion.schedule import guide, sample
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.fitted import SCHEDULE
from hsiaug_builtin.txt2hsi.params import NOISE_STEPS, Params

SIDE, WORDS, EMBEDDING, PROMPTS = 9, 24, 384, 32
ROUNDS, STEPS = 7, 5
GEMM = 1024
SAMPLES, OMEGA, DENOISING = 128, 3.0, 20


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    say(f"a product of {GEMM} × {GEMM} matrices: {ceiling() / 1e9:.0f} GFLOP/s")
    params = Params()
    size = params.network
    ours = Denoiser(params.latent, SIDE, EMBEDDING, size.width, size.depth, size.heads, token=size.token)
    for token in (1, size.token):
        compare(ours, nearest_peer(params, weights(ours), token), params, token)


def ceiling() -> float:
    """Floating-point operations a second of one matrix product, the median of ``ROUNDS``."""
    a, b = torch.randn(2, GEMM, GEMM)
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        torch.mm(a, b)
        seconds.append(time.process_time() - start)
    return float(2 * GEMM**3 / statistics.median(seconds))


def compare(ours: Denoiser, peer: nn.Module, params: Params, token: int) -> None:
    """Print both ratios to a peer whose tokens are ``token`` × ``token`` latent pixels."""
    say(f"weights: txt2hsi {weights(ours):,}, diffusers {weights(peer):,}; tokens of its {token} × {token} pixels")
    n = params.network.labelled + params.network.unlabelled
    ours.train()
    row("training steps/s", STEPS, training(ours, call_ours, params, n), training(peer, call_peer, params, n))
    ours.eval()
    peer.eval()
    row("samples/s", SAMPLES, lambda: sample_ours(ours, params), lambda: sample_peer(peer, params))


def weights(model: nn.Module) -> int:
    """The number of parameters."""
    return sum(p.numel() for p in model.parameters())


def nearest_peer(params: Params, size: int, token: int) -> PixArtTransformer2DModel:
    """The peer whose width gives the number of weights nearest to ``size``."""
    models = (
        PixArtTransformer2DModel(
            num_attention_heads=params.network.heads,
            attention_head_dim=head,
            in_channels=params.latent,
            out_channels=params.latent,
            num_layers=params.network.depth,
            cross_attention_dim=params.network.heads * head,
            sample_size=SIDE,
            patch_size=token,
            caption_channels=EMBEDDING,
            use_additional_conditions=False,
        )
        for head in range(12, 25, 2)
    )
    return min(models, key=lambda model: abs(weights(model) - size))


def call_ours(model: nn.Module, z: Tensor, t: Tensor, text: Tensor, mask: Tensor) -> Tensor:
    """Velocity (n, C, H, W) of our denoiser."""
    out: Tensor = model(z, t, text[:PROMPTS], mask[:PROMPTS], torch.arange(len(z)) % PROMPTS)
    return out


def call_peer(model: nn.Module, z: Tensor, t: Tensor, text: Tensor, mask: Tensor) -> Tensor:
    """Velocity (n, C, H, W) of the peer."""
    out: Tensor = model(
        z,
        encoder_hidden_states=text,
        timestep=t,
        encoder_attention_mask=mask,
        added_cond_kwargs={"resolution": None, "aspect_ratio": None},
    ).sample
    return out


def batch(n: int, channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Latents, texts and their mask."""
    mask = torch.arange(WORDS)[None].expand(n, -1) < WORDS - 4
    return torch.randn(n, channels, SIDE, SIDE), torch.randn(n, WORDS, EMBEDDING), mask


def training(model: nn.Module, call: Callable[..., Tensor], params: Params, n: int) -> Callable[[], None]:
    """``STEPS`` steps: loss, gradients, clipping, AdamW."""
    z, text, mask = batch(n, params.latent)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def run() -> None:
        for _ in range(STEPS):
            t = torch.randint(NOISE_STEPS, (n,))
            loss = (call(model, z, t, text, mask) - z).square().mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()

    return run


@torch.inference_mode()
def sample_ours(model: Denoiser, params: Params) -> None:
    """Guided DDIM with our denoiser."""
    z, text, mask = batch(SAMPLES, params.latent)
    blank = torch.full((SAMPLES,), PROMPTS)

    def velocity(z: Tensor, t: Tensor) -> Tensor:
        return guide(call_ours(model, z, t, text, mask), model(z, t, text[:PROMPTS], mask[:PROMPTS], blank), OMEGA)

    steps = round(params.strength * DENOISING)
    sample(SCHEDULE, velocity, z, steps, first=round(params.strength * NOISE_STEPS) - 1)


@torch.inference_mode()
def sample_peer(model: nn.Module, params: Params) -> None:
    """Guided DDIM with the peer."""
    z, text, mask = batch(SAMPLES, params.latent)
    null, null_mask = text[:, :4] * 0, mask[:, :4]
    schedule = DDIMScheduler(
        num_train_timesteps=NOISE_STEPS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        clip_sample=False,
    )
    schedule.set_timesteps(DENOISING)
    for t in schedule.timesteps[-round(Params().strength * DENOISING) :]:
        times = t.expand(SAMPLES)
        v = guide(call_peer(model, z, times, text, mask), call_peer(model, z, times, null, null_mask), OMEGA)
        z = schedule.step(v, t, z).prev_sample


def row(what: str, count: int, ours: Callable[[], Any], peer: Callable[[], Any]) -> None:
    """Print how many of ``count`` things a second each does, the median of ``ROUNDS`` alternating runs."""
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    for turn in range(ROUNDS + 1):
        for name, run in (("ours", ours), ("peer", peer)):
            start = time.process_time()
            run()
            if turn:  # the first warms up
                seconds[name].append(time.process_time() - start)
    mine, other = (count / statistics.median(seconds[name]) for name in ("ours", "peer"))
    rates = [operations(run) / statistics.median(seconds[name]) for name, run in (("ours", ours), ("peer", peer))]
    said = f"{rates[0] / 1e9:.0f} and {rates[1] / 1e9:.0f} GFLOP/s, ratio {rates[0] / rates[1]:.2f}"
    say(f"{what}: txt2hsi {mine:.2f}, diffusers {other:.2f}, ratio {mine / other:.2f}; {said}")


def operations(run: Callable[[], Any]) -> int:
    """Floating-point operations of matrix products."""
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


if __name__ == "__main__":
    main()
