"""The parts of txt2hsi: clipping, feature uncertainty, codec, codes, denoiser."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from hsiaug.api import TrainView
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view, view_without_labels
from hsiaug_builtin.gaussian.classes import Prior
from hsiaug_builtin.gaussian.codebook import (
    Conditioning,
    add_classes,
    find_codes,
    fit_gaussians,
)
from hsiaug_builtin.text.layout import RELATIONS
from hsiaug_builtin.txt2hsi.denoiser import NOUN, Denoiser, Said
from hsiaug_builtin.txt2hsi.facts import (
    drop_implied,
    find_facts,
    is_withheld,
    mirror_facts,
    withheld_facts,
)
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.frequencies import mirror, to_frequencies, to_pixels
from hsiaug_builtin.txt2hsi.lfue import means_of, with_means
from hsiaug_builtin.txt2hsi.rpsc import polygons
from hsiaug_builtin.txt2hsi.spread import Spread, apply_maps, cells_of_bands
from hsiaug_builtin.txt2hsi.vae import (
    Remainder,
    Vae,
    difference_axes,
)
from hsiaug_builtin.txt2hsi.words import regress


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([7, 9, 11]))
def test_a_polygon_spares_the_centre_and_covers_a_part(seed: int, side: int) -> None:
    masks = polygons(5, side, np.random.default_rng(seed))
    middle = side // 2
    area = masks.mean(axis=(1, 2))

    assert (masks[:, middle - 1 : middle + 2, middle - 1 : middle + 2] == 0).all()
    assert ((area == 0) | ((area >= 0.05) & (area <= 0.5))).all()


@pytest.mark.parametrize("side", [1, 3, 5, 11])
def test_a_denoiser_is_given_the_channel_means_that_are_known(side: int) -> None:
    x = torch.randn(4, side, side, 2)
    missing = torch.nan
    whole = torch.tensor([[1.0, 2.0], [missing, 0.5], [missing, missing], [-1.0, missing]])
    centre = torch.tensor([[3.0, missing], [0.1, 0.2], [missing, missing], [missing, 4.0]])
    means = torch.stack([whole, centre], dim=1)
    variance = torch.rand(side, side, 2) + 0.1
    given = with_means(lambda noised, level: noised.clone(), means, variance)(x, 1.0)

    found = means_of(to_pixels(given)).reshape(4, 2, 2).movedim(1, 0)
    assert torch.allclose(found[0][~whole.isnan()], whole[~whole.isnan()], atol=1e-4)
    if side > 1:
        # In a patch of one pixel, the centre is the patch.
        assert torch.allclose(found[1][~centre.isnan()], centre[~centre.isnan()], atol=1e-4)
    assert torch.equal(given[2], x[2])


def test_samples_are_spread_as_patches_within_each_band_of_frequency() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(3, 3)).astype(np.float32)
    made, real = (
        {c: rng.normal(c, 1, size=(200, 5, 5, 3)).astype(np.float32) for c in (1, 2)}
        for _ in range(2)
    )
    real = {c: x @ mixed for c, x in real.items()}
    of_made, of_real = Spread.of_patches(made), Spread.of_patches(real)
    maps = of_real.maps_from(of_made)
    again = apply_maps(torch.from_numpy(made[1]), torch.zeros(5, 5, 3), maps).numpy()

    for cells in cells_of_bands(5):
        expected = np.cov(real[1][:, cells].reshape(-1, 3), rowvar=False)
        found = np.cov(again[:, cells].reshape(-1, 3), rowvar=False)
        assert np.allclose(found, expected, atol=0.25 * np.trace(expected))
    assert np.array_equal(again[:, 0, 0], made[1][:, 0, 0])
    assert np.allclose(of_made.maps_from(of_made), np.eye(3), atol=1e-3)


@pytest.mark.parametrize("side", [1, 3, 5, 11])
def test_each_coefficient_but_the_mean_is_in_one_band_of_frequency(side: int) -> None:
    count = np.sum(cells_of_bands(side), axis=0)

    assert count[0, 0] == 0 and (count.ravel()[1:] == 1).all()


@pytest.mark.parametrize("patch", [1, 5, 9, 15])
def test_frequencies_hold_all_of_a_patch(patch: int) -> None:
    x = torch.randn(6, patch, patch, 4)
    coefficients = to_frequencies(x)

    assert torch.allclose(to_pixels(coefficients), x, atol=1e-4)
    assert torch.allclose(coefficients[:, 0, 0], x.sum(dim=(1, 2)) / patch, atol=1e-4)
    assert torch.allclose(coefficients.square().sum(), x.square().sum(), rtol=1e-4)


def test_a_mirror_changes_the_sign_of_odd_frequencies_alone() -> None:
    x = torch.randn(1, 5, 5, 2)
    plain, down = (to_frequencies(mirror(x, torch.tensor([number]))) for number in (0, 1))
    sign = torch.tensor([1.0, -1, 1, -1, 1])[None, :, None, None]

    assert torch.allclose(down, plain * sign, atol=1e-4)


def test_the_vae_begins_as_principal_components_and_loses_nothing_with_all_of_them() -> None:
    x = torch.randn(500, 6) @ torch.randn(6, 6)
    x = (x - x.mean(dim=0)) / x.std(dim=0)
    whole, part = Vae(6, 6, 8), Vae(6, 2, 8)
    for vae in (whole, part):
        vae.begin_as_pca(x, torch.ones(6))

    assert torch.allclose(whole.decode(whole.encode(x)), x, atol=1e-3)
    z = part.encode(x)
    assert torch.allclose(z.T @ z / len(z), torch.eye(2), atol=1e-2)
    least = torch.linalg.svdvals(x)[2:].square().sum()
    assert float((part.decode(z) - x).detach().square().sum()) == pytest.approx(
        float(least), rel=1e-3
    )


def test_turned_latents_decode_to_the_same_spectra_and_differ_independently() -> None:
    rng = torch.Generator().manual_seed(0)
    smooth = torch.randn(40, 1, 2, generator=rng).expand(40, 30, 2)
    noise = torch.randn(40, 30, 2, generator=rng) @ torch.tensor([[1.0, 0.9], [0.0, 0.4]])
    x = torch.cat([smooth + 0.7 * noise, noise], dim=2).flatten(0, 1)
    x = (x - x.mean(dim=0)) / x.std(dim=0)
    vae = Vae(4, 4, 8)
    vae.begin_as_pca(x, torch.ones(4))
    before = vae.encode(x).detach()
    spectra = vae.decode(before)
    axes = difference_axes(before.reshape(40, 30, 4))
    vae.rotate(axes)
    after = vae.encode(x)

    assert torch.allclose(after, before @ axes, atol=1e-4)
    assert torch.allclose(vae.decode(after), spectra, atol=1e-3)
    steps = after.reshape(40, 30, 4).diff(dim=0).flatten(0, 1)
    across = after.reshape(40, 30, 4).diff(dim=1).flatten(0, 1)
    covariance = steps.T @ steps / len(steps) + across.T @ across / len(across)
    apart = covariance - covariance.diag().diag()
    assert apart.abs().max() < 1e-3 * covariance.diag().max()
    assert (covariance.diag().diff() > -1e-4).all(), "what differs least comes first"


def test_what_the_vae_leaves_out_comes_back_in_whole_patches_of_the_class(rng) -> None:
    left = [rng.normal(size=(n, 3, 3, 5)).astype(np.float32) + 10 * n for n in (50, 3)]
    rows = np.repeat([0, 1], 400)
    drawn = Remainder.of_classes(left, 0).sample(rows, torch.Generator().manual_seed(0)).numpy()
    assert drawn.shape == (800, 3, 3, 5)

    known = {np.sort(x.astype(np.float16).astype(np.float32), axis=None).tobytes() for x in left[0]}
    assert {np.sort(x, axis=None).tobytes() for x in drawn[:400]} <= known
    assert len({x.tobytes() for x in drawn[:400]}) > 16, "they are mirrored"
    alien = (drawn[400:] > 100).all(axis=(1, 2, 3))
    assert 0.3 < alien.mean() < 1, "a class of three patches takes the noise of others too"


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 9), "scene")


def test_gaussians_are_those_of_the_patches_of_each_code(view, rng) -> None:
    seen = view_without_labels(view)
    mirrored = np.pad(view.cube[:, :, :4], ((4, 4), (4, 4), (0, 0)), mode="reflect")
    field = Field(torch.from_numpy(mirrored), 9)
    codes = rng.integers(0, 2, size=view.visible.shape).astype(np.int16)
    gaussians = fit_gaussians(field.cut, codes, seen.unlabelled)
    pixels = seen.unlabelled
    first = pixels[codes[pixels[:, 0], pixels[:, 1]] == 0]

    level = to_frequencies(field.cut(first))[:, 0, 0].mean(dim=0)
    of_scene = to_frequencies(field.cut(pixels))[:, 0, 0].mean(dim=0)
    shrunk = of_scene + (level - of_scene) * len(first) / (len(first) + 5)
    assert torch.allclose(gaussians.mean[0, 0, 0], shrunk, atol=1e-3)
    assert torch.allclose(gaussians.mean[gaussians.no_code, 0, 0], of_scene, atol=1e-3)
    assert not gaussians.mean[:, 1::2].any(), "a mirrored patch is as likely"
    assert gaussians.mean.shape == (3, 9, 9, 4) and (gaussians.variance > 0).all()


def test_samples_of_gaussians_have_the_layout_of_smooth_patches() -> None:
    rng = np.random.default_rng(0)
    scene = gaussian_filter(rng.normal(size=(80, 80)), 2)
    scene /= scene.std()
    field = Field(torch.from_numpy(scene[:, :, None].astype(np.float32)), 9)
    pixels = np.argwhere(np.ones((72, 72), dtype=bool)).astype(np.int32)
    gaussians = fit_gaussians(field.cut, np.zeros((80, 80), dtype=np.int16), pixels)
    condition = Conditioning(*torch.zeros(2, 500, dtype=torch.int64))
    noise = torch.randn(500, 9, 9, 1, generator=torch.Generator().manual_seed(0))

    def neighbours(x: torch.Tensor) -> float:
        pair = torch.stack([x[:, 1:].flatten(), x[:, :-1].flatten()])
        return float(torch.corrcoef(pair)[0, 1])

    real = neighbours(field.cut(pixels))
    assert neighbours(to_pixels(gaussians.sample(noise, condition))) == pytest.approx(
        real, abs=0.05
    )
    assert abs(neighbours(noise)) < 0.05


def test_a_class_moves_the_gaussians_of_its_codes(view: TrainView, rng) -> None:
    pixels = view_without_labels(view).unlabelled
    values = rng.normal(size=(*view.cube.shape[:2], 2)).astype(np.float32)
    codes = rng.integers(0, 3, size=values.shape[:2]).astype(np.int16)
    named = pixels[codes[pixels[:, 0], pixels[:, 1]] < 2][:150]
    field = Field(torch.from_numpy(np.pad(values, ((2, 2), (2, 2), (0, 0)), mode="reflect")), 5)
    scene = fit_gaussians(field.cut, codes, pixels)

    def cut(at):
        return field.cut(at) + torch.tensor([4.0, 0.0])

    both = add_classes(scene, cut, codes, {2: named}, 2)
    used = sorted({int(code) for code in codes[named[:, 0], named[:, 1]]})
    code = torch.tensor([*used, 2])
    none = torch.zeros_like(code)
    plain, _ = both.moments(Conditioning(code, none))
    moved, variance = both.moments(Conditioning(code, none + 2))

    assert used == [0, 1]
    # The level of 5×5 pixels, 4 higher each, less what shrinking takes.
    assert (moved - plain)[:2, 0, 0, 0].tolist() == pytest.approx([20, 20], abs=3)
    assert (moved - plain)[:2, 0, 0, 1].abs().max() < 1
    assert torch.equal(moved[2], plain[2]), "a code that no pixel of the class has"
    assert (variance > 0).all() and both.spread[1].tolist() == [1, 1]


def test_codes_are_numbered_without_gaps_even_where_most_patches_are_alike(
    rng: np.random.Generator,
) -> None:
    latents = torch.zeros(30, 30, 3)
    latents[:2] = torch.from_numpy(rng.normal(size=(2, 30, 3)).astype(np.float32))
    pixels = np.argwhere(np.ones((30, 30), dtype=bool)).astype(np.int32)
    codes = find_codes(latents, torch.ones(3), pixels, 5, 22, 0)

    used = np.unique(codes)
    assert used.tolist() == list(range(len(used))) and len(used) > 1


def test_the_prior_draws_the_codes_of_a_class_as_often_as_its_pixels_have_them() -> None:
    prior = Prior.fit({2: np.array([0, 0, 0, 3]), 7: np.array([1])})
    drawn = prior.sample(np.repeat([7, 2], 4000), np.random.default_rng(0)).numpy()

    assert (drawn[:4000] == 1).all()
    assert np.bincount(drawn[4000:], minlength=4) / 4000 == pytest.approx(
        [0.75, 0, 0, 0.25], abs=0.03
    )


def denoiser(side: int = 9) -> tuple[Denoiser, torch.Tensor, torch.Tensor]:
    x = torch.randn(2, side, side, 3, generator=torch.Generator().manual_seed(0))
    table = torch.ones(side, side, 3)
    torch.manual_seed(0)
    net = Denoiser(
        torch.zeros_like(table), table, torch.ones(3), width=16, depth=2, features=6, text=5
    ).eval()
    # The zero initialisation hides the text; give it something to say.
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net, x, torch.randn(3, NOUN)


def said(*mentions: list[int]) -> Said:
    noun = torch.tensor(mentions)
    return Said(noun, torch.zeros_like(noun), torch.zeros(len(noun)))


def test_what_is_not_said_changes_nothing_and_silence_is_another_thing() -> None:
    net, z, words = denoiser()
    sigma = torch.ones(2)
    one = net(z, sigma, said([0, -1], [1, 2]), words)[0]
    other = words.clone()
    other[2] = 7.0

    assert torch.equal(net(z, sigma, said([0, -1], [1, 2]), other)[0][0], one[0])
    assert not torch.allclose(net(z, sigma, said([0, -1], [1, 2]), other)[0][1], one[1], atol=1e-3)
    silent = net(z, sigma, said([0, -1], [1, 2]).silent(), words)[0]
    assert torch.equal(silent, net(z, sigma, said([-1, -1], [-1, -1]), other)[0])
    assert not torch.allclose(one, silent, atol=1e-3)


def test_every_pixel_shares_its_attention_among_the_mentions_and_nothing() -> None:
    net, z, words = denoiser()
    _, share = net(z, torch.ones(2), said([0, 2], [1, -1]), words)

    assert share.shape == (2, 81, 3)
    assert torch.allclose(share.exp().sum(dim=2), torch.ones(2, 81), atol=1e-5)
    assert (share.exp()[1, :, 1] == 0).all() and (share.exp()[0] > 0).all()


def test_a_compiler_finds_one_graph_for_the_loss_which_is_the_same() -> None:
    """As a GPU compiles it, but for the kernels."""
    net, z, words = denoiser()
    compiled = torch.compile(net.loss, fullgraph=True, backend="aot_eager")
    own = torch.rand(2, 81, 3) > 0.5
    arguments = z, torch.ones(2), said([0, 2], [1, -1]), torch.randn(z.shape), words, own
    found = []
    for loss in (net.loss, compiled):
        net.zero_grad()
        value = loss(*arguments)
        value.backward()
        found.append((value.detach(), net.in_proj.weight.grad))

    torch.testing.assert_close(found[1], found[0])


def test_attention_to_the_own_mention_lowers_the_loss() -> None:
    net, z, words = denoiser()
    mentions = said([0, 2], [1, 2])
    _, share = net(z, torch.ones(2), mentions, words)
    most = torch.nn.functional.one_hot(share.argmax(dim=2), 3).bool()
    least = torch.nn.functional.one_hot(share.argmin(dim=2), 3).bool()
    losses = [
        net.loss(z, torch.ones(2), mentions, torch.zeros_like(z), words, own)
        for own in (most, least, torch.zeros_like(most))
    ]

    assert losses[2] < losses[0] < losses[1]


def test_an_untrained_denoiser_is_the_wiener_filter_of_the_gaussian() -> None:
    variance = torch.rand(5, 5, 2) + 0.5
    mean = torch.zeros_like(variance)
    net = Denoiser(mean, variance, torch.ones(2), width=16, depth=1, features=4, text=5)
    x = torch.randn(3, 5, 5, 2)
    words = torch.randn(1, NOUN)
    clean, _ = net(x, torch.full((3,), 0.7), said([0], [0], [-1]), words)

    assert torch.allclose(clean, x * variance / (variance + 0.49), atol=1e-5)


def square(*rows: str) -> np.ndarray:
    """A patch of names, a digit a pixel; a dot is not known."""
    names = [[-1 if name == "." else int(name) for name in row] for row in rows]
    return np.array(names, dtype=np.int16)[None]


def facts_of(patch: np.ndarray) -> dict[str, int]:
    found = find_facts(patch)[0]
    return {name: int(value) for name, value in zip(RELATIONS, found, strict=True) if value >= 0}


def test_facts_say_what_lies_where() -> None:
    north = square("22222", "22222", "11111", "11111", "11111")
    assert facts_of(north) == {"centre": 1, "north": 2, "beside": 2, "most": 1}
    around = square("22222", "22222", "22122", "22222", "22222")
    found = facts_of(around)
    assert found["around"] == 2 and found["small"] == 1
    assert drop_implied(find_facts(around))[0].tolist().count(2) == 1, "said once"
    strip = square("21112", "21112", "21112", "21112", "21112")
    assert facts_of(strip)["strip_ns"] == 1 and "north" not in facts_of(strip)
    assert facts_of(square("11111", "11111", "11111", "11111", "11111")) == {
        "centre": 1,
        "whole": 1,
    }
    assert facts_of(square(".....", ".....", ".....", ".....", ".....")) == {}
    half = square("2.2..", "11111", "11111", "11111", "11111")
    assert "north" not in facts_of(half), "two of five pixels are no side"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 5, 9]), st.integers(0, 3))
def test_facts_of_a_mirrored_patch_are_the_mirrored_facts(seed: int, side: int, turn: int) -> None:
    rng = np.random.default_rng(seed)
    regions = rng.integers(-1, 3, size=(6, side, side)).astype(np.int16)
    regions[:, : side // 2] = rng.integers(0, 2)
    turned = mirror(torch.from_numpy(regions)[..., None], torch.full((6,), turn))[..., 0].numpy()
    expected = mirror_facts(find_facts(regions), np.full(6, turn))

    assert (find_facts(turned.copy()) == expected).all()


def test_a_sixth_of_the_layouts_is_never_said(rng: np.random.Generator) -> None:
    centre, other = rng.integers(1, 17, size=(2, 4000))
    shares = [is_withheld(centre, side, other).mean() for side in range(4)]
    facts = np.full((2, len(RELATIONS)), -1, dtype=np.int16)
    facts[:, 0] = 1

    assert all(0.12 < share < 0.22 for share in shares)
    assert not withheld_facts(facts).any(), "a class alone is always said"


def test_a_regression_reads_its_own_phrases_and_those_between_them() -> None:
    rng = torch.Generator().manual_seed(0)
    embedded = torch.nn.functional.normalize(torch.randn(6, 40, generator=rng), dim=1)
    target = torch.randn(6, 8, generator=rng)
    layer = regress(embedded, target)

    assert torch.allclose(layer(embedded), target, atol=0.05)
    between = layer((embedded[[0]] + embedded[[1]]) / 2)
    assert torch.allclose(between, (target[[0]] + target[[1]]) / 2, atol=0.05)
