"""What diffusion generators share: schedules, guidance, the sampler, latents, training."""

from pathlib import Path

import pytest
import torch
from torch import nn

from hsiaug.api import PluginError
from hsiaug_builtin.diffusion import training
from hsiaug_builtin.diffusion.latents import LatentNorm
from hsiaug_builtin.diffusion.schedule import guide, make_schedule, sample
from hsiaug_builtin.diffusion.training import randomness, replayed, train
from hsiaug_builtin.nets.seeded import fresh


def test_the_usual_schedule_ends_where_the_published_one_does() -> None:
    # diffusers' "scaled_linear", which latent diffusion's code calls linear; 0.0015 → 0.0155.
    assert make_schedule(1000, 0.0015, 0.0155).alpha_bar[-1] == pytest.approx(6.7e-4, rel=0.02)


def test_omega_zero_is_purely_conditional_and_one_extrapolates() -> None:
    conditioned, null = torch.ones(3), torch.zeros(3)

    assert (guide(conditioned, null, 0) == conditioned).all()
    assert (guide(conditioned, null, 1.5) == 2.5).all()


@pytest.mark.parametrize("first", [999, 400, 50])
def test_the_sampler_finds_the_clean_latent_from_a_perfect_velocity(first: int) -> None:
    schedule = make_schedule(1000, 1e-4, 0.02)
    clean, noise = torch.randn(2, 5, 4, 3, 3, generator=torch.Generator().manual_seed(0))

    def perfect(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        a = schedule.alpha_bar[t].reshape(-1, 1, 1, 1)
        residual = (z - a.sqrt() * clean) / (1 - a).sqrt()
        return a.sqrt() * residual - (1 - a).sqrt() * clean

    start = schedule.add_noise(clean, torch.full((5,), first), noise)
    assert torch.allclose(sample(schedule, perfect, start, 10, first=first), clean, atol=1e-4)


def test_normalised_latents_have_unit_variance_per_channel_and_come_back() -> None:
    z = torch.randn(50, 3, 4, 4) * torch.tensor([1.0, 10.0, 0.1])[:, None, None] + 7
    norm = LatentNorm.fit(z)
    flat = norm.forward(z).transpose(0, 1).flatten(1)

    assert torch.allclose(flat.std(dim=1), torch.ones(3), atol=1e-4)
    assert torch.allclose(norm.back(norm.forward(z)), z, atol=1e-4)


def fit_line(seed: int, ema: float = 0.0) -> nn.Module:
    x = torch.linspace(-1, 1, 32)[:, None]
    net = fresh(lambda: nn.Linear(1, 1), seed)
    return train(
        net,
        lambda _: (net(x) - (3 * x + 1)).square().mean(),
        steps=400,
        rate=0.05,
        progress=lambda *_: None,
        note="line",
        ema=ema,
    )


def test_training_learns_and_is_deterministic_and_leaves_torch_as_it_was() -> None:
    state = torch.get_rng_state()
    one, again, other = fit_line(0), fit_line(0), fit_line(1)

    assert fit_line(0, ema=0.9).weight.item() == pytest.approx(3, abs=0.2)  # type: ignore[operator, union-attr]
    assert one.weight.item() == pytest.approx(3, abs=0.05)  # type: ignore[operator, union-attr]
    assert torch.equal(one.weight, again.weight)  # type: ignore[arg-type]
    assert not torch.equal(one.weight, other.weight)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), state)


class Killed(Exception):
    """What a test stops a training with."""


def fit_noisy_line(checkpoint: Path | None, stop: int | None, half: bool = False) -> nn.Module:
    x = torch.linspace(-1, 1, 32)[:, None]
    net = fresh(lambda: nn.Linear(1, 1), 0)
    done = []

    def loss(step: int) -> torch.Tensor:
        noise = torch.randn(x.shape, generator=randomness(3, step))
        return (net(x).float() - (3 * x + 1 + 0.1 * noise)).square().mean()

    def progress(step: int, total: int, note: str = "") -> None:
        done.append(step)
        if step == stop:
            raise Killed

    line = train(
        net,
        loss,
        steps=60,
        rate=0.05,
        progress=progress,
        note="line",
        ema=0.9,
        half=half,
        checkpoint=checkpoint,
    )
    assert done[-1:] in ([], [60])
    return line


def test_a_killed_training_goes_on_where_it_was_and_ends_the_same_bit_for_bit(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("hsiaug_builtin.nets.training.CHECKPOINT_EVERY", 0.0)
    whole = fit_noisy_line(None, None)
    file = tmp_path / "line.safetensors"
    with pytest.raises(Killed):
        fit_noisy_line(file, 41)
    resumed = fit_noisy_line(file, None)
    finished = fit_noisy_line(file, 1)  # every step is done already: nothing is left to stop at

    for net in (resumed, finished):
        assert all(
            torch.equal(a, b) for a, b in zip(whole.parameters(), net.parameters(), strict=True)
        )


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "line.safetensors").write_bytes(b"half a file")
    with pytest.raises(PluginError, match=r"line\.safetensors: expected the checkpoint"):
        fit_noisy_line(tmp_path / "line.safetensors", None)


def test_a_flipped_bit_in_a_checkpoint_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsiaug_builtin.nets.training.CHECKPOINT_EVERY", 0.0)
    file = tmp_path / "line.safetensors"
    with pytest.raises(Killed):
        fit_noisy_line(file, 41)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(PluginError, match="values that are not as they were written"):
        fit_noisy_line(file, None)


def test_training_in_bfloat16_keeps_weights_in_float32_and_learns() -> None:
    net = fit_noisy_line(None, None, half=True)

    assert net.weight.dtype == torch.float32  # type: ignore[union-attr]
    assert net.weight.item() == pytest.approx(fit_noisy_line(None, None).weight.item(), abs=0.1)  # type: ignore[operator, union-attr]


def test_a_network_is_captured_once_and_its_copies_compute_with_weights_of_their_own(monkeypatch):
    """What a GPU records is stood in for by the call itself."""
    captured = []

    def capture(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> nn.Module:
        captured.append(len(inputs))
        module.forward = lambda *again: net(*again) + 1  # the module that is captured is changed
        return module

    net, x = nn.Linear(2, 2), torch.ones(3, 2)
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", capture)
    monkeypatch.setattr(training, "bf16_is_faster", lambda device: False)
    call = replayed(net, "cuda")

    assert (
        torch.equal(call(x), net(x) + 1)
        and torch.equal(call(2 * x), net(2 * x) + 1)
        and captured == [1]
    )
    assert replayed(net, "cpu") is net
