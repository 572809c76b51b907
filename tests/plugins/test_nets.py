"""``hsiaug_builtin.nets``: views keep what they promise, draws are fair, and nothing leaks into
torch's global state.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsiaug.api import InputError, Patches, PatchSamples, PluginError
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug_builtin.nets.blocks import Net2d
from hsiaug_builtin.nets.fitted import FittedNet, real_samples
from hsiaug_builtin.nets.recipe import AUGMENTS, Recipe
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.nets.training import AdamW, TrainingPatches, batches, criterion, descend, train
from hsiaug_builtin.nets.views import (
    band_dropout,
    gain_offset,
    strong,
    turn_batch,
    view_of,
    weak,
)
from tests.effort import loaded


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def patches(n: int = 64, k: int = 6, p: int = 5) -> torch.Tensor:
    return torch.randn((n, k, p, p), generator=draw(9))


def lesson(counts: tuple[int, ...] = (90, 9, 1), weight: float = 1.0) -> TrainingPatches:
    target = np.repeat(np.arange(len(counts)), counts)
    x = np.random.default_rng(0).normal(size=(len(target), 4, 3, 3)) + target[:, None, None, None]
    return TrainingPatches(
        x.astype(np.float32), target, np.full(len(x), weight, np.float32), len(counts)
    )


def silent(done: int, total: int, note: str = "") -> None: ...


def test_eight_steps_show_a_patch_under_all_symmetries_and_its_centre_never_moves():
    x = patches(n=8)
    seen = torch.stack([turn_batch(x, step)[0] for step in range(8)])
    assert len(torch.unique(seen.flatten(1), dim=0)) == 8
    assert torch.equal(seen[:, :, 2, 2], x[0, :, 2, 2].expand(8, -1))


def test_gain_and_offset_are_one_per_band_and_patch():
    x = patches()
    changed = gain_offset(x, draw(), gain=0.1, offset=0.2)
    slope = (changed[:, :, 1, 1] - changed[:, :, 0, 0]) / (x[:, :, 1, 1] - x[:, :, 0, 0])
    again = (changed[:, :, 3, 2] - changed[:, :, 0, 0]) / (x[:, :, 3, 2] - x[:, :, 0, 0])
    assert torch.allclose(slope, again, atol=1e-2) and slope.std().item() == pytest.approx(
        0.1, rel=0.2
    )


def test_dropped_bands_are_zero_in_the_whole_patch_and_the_others_stay():
    x = patches(n=500)
    kept = band_dropout(x, draw(), share=0.3)
    gone = (kept == 0).flatten(2)
    assert (gone.all(dim=2) == gone.any(dim=2)).all()
    assert gone.all(dim=2).float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert torch.equal(kept[kept != 0], x[kept != 0])


@pytest.mark.parametrize("view", [weak, strong])
def test_a_view_is_determined_by_its_draw_and_works_on_a_single_pixel(view):
    x = patches(n=3, p=1)
    one, same, other = (view(x, draw(s)) for s in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other) and one.shape == x.shape


def test_every_named_augmentation_exists_and_another_name_is_refused():
    assert all(view_of(name)(patches(), draw(), 0).shape == patches().shape for name in AUGMENTS)
    with pytest.raises(
        InputError, match=r"cnn2d\.augment` must be none or .*'stong'\. Did you mean strong"
    ):
        build_params(
            registry().find("classifier", "cnn2d").load().card, "cpu", {"augment": "stong"}
        )


def test_an_unbalanced_draw_follows_the_samples_and_a_balanced_one_the_classes():
    def shares(balanced: bool) -> np.ndarray:
        _, target = batches(
            lesson(), Recipe(batch=3000, balanced=balanced, augment="none"), 0, "cpu"
        )(0)
        return np.bincount(target, minlength=3) / 3000

    assert np.allclose(shares(False), [0.9, 0.09, 0.01], atol=0.02)
    assert np.allclose(shares(True), 1 / 3, atol=0.03)


def fitted(
    net: torch.nn.Module, given: TrainingPatches, recipe: Recipe, seed: int
) -> torch.nn.Module:
    draw, error = batches(given, recipe, seed, "cpu"), criterion(given, recipe, "cpu")
    return train(net, draw, error, recipe, seed=seed, device="cpu", progress=silent)


def drawn(given: TrainingPatches, recipe: Recipe) -> torch.Tensor:
    return batches(given, recipe, 0, "cpu")(0)[1]


def test_logit_adjustment_adds_the_logarithm_of_the_shares_in_the_loss_alone():
    given = lesson()
    target = drawn(given, Recipe(batch=8))
    scores = torch.randn((8, 3), generator=draw())
    shifted = scores + 0.5 * torch.tensor([0.9, 0.09, 0.01]).log()
    adjusted = criterion(given, Recipe(adjust=0.5), "cpu")(scores, target)
    assert torch.allclose(adjusted, criterion(given, Recipe(), "cpu")(shifted, target), atol=1e-5)


def test_logit_adjustment_of_a_balanced_draw_changes_nothing_and_a_weightless_class_stays_finite():
    target, scores = drawn(lesson(), Recipe(batch=8)), torch.randn((8, 3), generator=draw())
    plain = criterion(lesson(), Recipe(), "cpu")(scores, target)
    assert torch.equal(
        criterion(lesson(), Recipe(adjust=1.0, balanced=True), "cpu")(scores, target), plain
    )
    assert torch.isfinite(criterion(lesson(weight=0.0), Recipe(adjust=1.0), "cpu")(scores, target))


@pytest.mark.parametrize(("weight", "share"), [(1.0, 1 / 2), (1 / 3, 1 / 4), (0.0, 0.0)])
def test_a_sample_counts_as_much_as_its_weight(weight, share):
    x = np.ones((200, 1, 1, 1), dtype=np.float32)
    target = np.repeat([0, 1], 100)  # the same patch under two labels
    given = TrainingPatches(x, target, np.repeat([1.0, weight], 100).astype(np.float32), 2)
    net = fresh(lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1, 2)), 0)
    recipe = Recipe(steps=300, rate=0.03, decay=0.0)
    net = fitted(net, given, recipe, seed=0)
    found = net(torch.ones(1, 1, 1, 1)).softmax(dim=1)[0, 1].item()
    assert found == pytest.approx(share, abs=0.05)


def test_dropout_and_initial_weights_follow_the_seed_and_leave_the_global_state():
    def net() -> torch.nn.Module:
        return torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(36, 16), torch.nn.Dropout(), torch.nn.Linear(16, 3)
        )

    def weights(seed: int, noise: int) -> torch.Tensor:
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        trained = fitted(fresh(net, seed), lesson(), Recipe(steps=3), seed=seed)
        assert torch.equal(before, torch.get_rng_state())
        return torch.cat([w.flatten() for w in trained.parameters()])

    assert torch.equal(weights(1, noise=5), weights(1, noise=6))
    assert not torch.equal(weights(1, noise=5), weights(2, noise=5))


def test_a_training_that_diverges_says_so():
    net = Net2d(4, 4, 3)
    with pytest.raises(PluginError, match="must stay finite"):
        descend(
            net,
            lambda step: net(patches(4, 4)).mean() * float("nan"),
            Recipe(steps=2),
            seed=0,
            progress=silent,
        )


def softmax(net: Net2d, x: np.ndarray) -> np.ndarray:
    fitted = FittedNet(lambda part: part, net, np.arange(1, 4), 3, "cpu")
    return fitted.predict_proba(Patches(x, np.zeros((len(x), 2), dtype=np.int32)))


def test_the_optimiser_is_torchs_own_to_the_bit():
    def trained(optimiser_of):
        net = fresh(lambda: Net2d(4, 4, 3), 0)
        optimiser = optimiser_of(net.parameters(), lr=0.01, weight_decay=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            net(patches(4, 4)).square().mean().backward()
            optimiser.step()
        return torch.cat([weights.flatten() for weights in net.parameters()])

    assert torch.equal(trained(AdamW), trained(torch.optim.AdamW))


def test_training_does_not_import_the_compiler_of_torch():
    code = (
        "import torch; from hsiaug_builtin.nets.recipe import Budget; from hsiaug_builtin.nets"
        " import training; net = torch.nn.Linear(2, 1); loss = lambda step: net(torch.ones(1,"
        " 2)).sum(); training.descend(net, loss, Budget(steps=2), progress=lambda *_: None,"
        " ema=0.9, clip=1.0)"
    )
    assert "torch._dynamo" not in loaded(code)


def test_real_samples_that_come_first_are_not_copied(rng: np.random.Generator) -> None:
    x = rng.random((6, 3, 1, 1), dtype=np.float32)
    made = PatchSamples.made(x, np.arange(1, 7))
    first = replace(made, synthetic=np.arange(6) >= 4)
    mixed = replace(made, synthetic=np.arange(6) % 2 == 0)

    assert np.shares_memory(real_samples(first, "emp").x, x)
    assert (real_samples(first, "emp").x == x[:4]).all()
    assert (real_samples(mixed, "emp").x == x[1::2]).all()
