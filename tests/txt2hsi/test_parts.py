"""The parts of txt2hsi: clipping, feature uncertainty, denoiser."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.api import Normaliser
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.lfue import perturb
from hsiaug_builtin.txt2hsi.objective import turn_patches
from hsiaug_builtin.txt2hsi.params import Params
from hsiaug_builtin.txt2hsi.rpsc import clip, polygons
from hsiaug_builtin.txt2hsi.vae import Vae


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([7, 9, 11]))
def test_a_polygon_spares_the_centre_and_covers_a_part(seed: int, side: int) -> None:
    masks = polygons(5, side, np.random.default_rng(seed))
    middle = side // 2
    area = masks.mean(axis=(1, 2))

    assert (masks[:, middle - 1 : middle + 2, middle - 1 : middle + 2] == 0).all()
    assert ((area == 0) | ((area >= 0.05) & (area <= 0.5))).all()


def test_polygons_mix_to_varying_degrees() -> None:
    area = polygons(1000, 9, np.random.default_rng(0)).mean(axis=(1, 2))

    assert (area == 0).mean() < 0.01
    assert 0.12 < np.median(area) < 0.22 and np.quantile(area, 0.95) > 0.28


def test_clipping_changes_patches_but_never_their_centre(rng: np.random.Generator) -> None:
    x, donors = torch.from_numpy(rng.normal(size=(2, 40, 3, 9, 9)).astype(np.float32))
    out = clip(x, donors, 1.0, rng)

    assert (out != x).flatten(1).any(dim=1).float().mean() > 0.9
    assert (out[:, :, 4, 4] == x[:, :, 4, 4]).all()
    assert (clip(x, donors, 0.0, rng) == x).all()


def latents() -> tuple[torch.Tensor, torch.Tensor]:
    z = torch.randn(12, 4, 5, 5, generator=torch.Generator().manual_seed(1))
    group = torch.tensor([1] * 5 + [2] * 5 + [3] + [-1])
    return z + 10 * group[:, None, None, None], group


def test_latents_are_moved_within_their_class_and_at_factor_zero_not_at_all() -> None:
    z, group = latents()

    def moved(group: torch.Tensor) -> float:
        out = perturb(z, group, torch.Generator().manual_seed(0))
        return float((out.mean(dim=(2, 3)) - z.mean(dim=(2, 3))).abs().mean())

    assert 1e-4 < moved(group) < 1 < moved(torch.zeros_like(group))


def denoiser(token: int = 1) -> Denoiser:
    torch.manual_seed(0)
    net = Denoiser(channels=3, side=5, text=6, width=16, depth=2, heads=2, token=token).eval()
    # The zero initialisation hides the text; give it something to say.
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net


def test_a_token_is_a_square_of_latent_pixels_and_the_patch_is_put_together_again_as_it_was() -> None:
    net, z = denoiser(token=3), torch.randn(2, 3, 5, 5)
    tokens = net._tokens(z)
    assert tokens.shape == (2, 4, 27) and torch.equal(net._pixels(tokens), z)
    assert torch.equal(tokens[:, 0].reshape(2, 3, 3, 3), z[:, :, :3, :3])

    text, mask = torch.randn(2, 4, 6), torch.ones(2, 4, dtype=torch.bool)
    assert net(z, torch.tensor([3, 700]), text, mask, torch.tensor([0, 1])).shape == z.shape


def test_padding_and_the_null_text_hide_the_words() -> None:
    net, z, t = denoiser(), torch.randn(2, 3, 5, 5), torch.tensor([5, 5])
    one, other = torch.randn(2, 2, 6, 6)
    mask = torch.tensor([[True, True, False, False, False, False]]).expand(2, -1)
    other[:, :2] = one[:, :2]
    rows, null = torch.tensor([0, 1]), torch.tensor([2, 2])
    assert torch.allclose(net(z, t, one, mask, rows), net(z, t, other, mask, rows), atol=1e-6)

    assert torch.equal(net(z, t, one, mask, null), net(z, t, torch.randn(2, 6, 6), ~mask, null))
    assert not torch.allclose(net(z, t, one, mask, null), net(z, t, one, mask, rows), atol=1e-3)


def test_a_latent_is_told_its_own_text_whatever_the_others_are_told() -> None:
    net, z, t = denoiser(), torch.randn(3, 3, 5, 5), torch.tensor([5, 9, 9])
    text, mask = torch.randn(2, 6, 6), torch.ones(2, 6, dtype=torch.bool)
    mixed = net(z, t, text, mask, torch.tensor([1, 2, 0]))

    for i, row in enumerate((1, 2, 0)):
        alone = net(z[[i]], t[[i]], text, mask, torch.tensor([row]))
        assert torch.allclose(mixed[[i]], alone, atol=1e-5)


def test_turning_moves_whole_spectra_by_one_of_eight_symmetries(rng: np.random.Generator) -> None:
    square = torch.arange(9.0).reshape(3, 3)
    patches = torch.stack([square, square + 10])[None].expand(200, -1, -1, -1)
    symmetries = [torch.rot90(side, k) for side in (square, square.flip(1)) for k in range(4)]
    seen = [
        next(k for k, one in enumerate(symmetries) if torch.equal(patch[0], one))
        for patch in turn_patches(patches, rng)
    ]

    assert set(seen) == set(range(8))
    assert all(torch.equal(patch[1], patch[0] + 10) for patch in turn_patches(patches, rng))


def test_patches_of_latents_are_the_latents_of_patches_where_each_is_of_one_pixel(
    rng: np.random.Generator,
) -> None:
    flat = Normaliser(np.zeros(4, dtype=np.float32), np.ones(4, dtype=np.float32))
    field = Field(torch.from_numpy(rng.normal(size=(12, 11, 4)).astype(np.float32)), 5, flat)
    vae = Vae(4, 2, Params(size="tiny", latent=3))
    coords = np.array([[0, 0], [7, 6], [3, 2]])

    latents = field.mapped(lambda x: vae.encode(x)[0])
    assert torch.allclose(latents.cut(coords), vae.encode(field.cut(coords))[0], atol=1e-6)
