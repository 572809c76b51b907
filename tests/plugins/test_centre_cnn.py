"""``centre-cnn`` reads the centre's whole spectrum, and in every other member the mean round it."""

from dataclasses import replace

import numpy as np
import torch

from hsiaug.api import Patches
from hsiaug_builtin.classifiers.centre import CentreCnn, Window
from hsiaug_builtin.classifiers.nets import Averaged, CentreNet


def test_a_member_of_window_one_reads_the_centre_alone_and_a_wider_one_what_is_next_to_it() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 6, 5, 5)
    around = x.clone()
    around[:, :, 1:4, 1:4] += 1
    around[:, :, 2, 2] = x[:, :, 2, 2]
    corner = x.clone()
    corner[:, :, 0, 0] += 1
    alone, wider = (CentreNet(6, 8, window, 0.0, 3).eval() for window in (1, 3))
    assert torch.equal(alone(x), alone(around))
    assert not torch.allclose(wider(x), wider(around)) and torch.equal(wider(x), wider(corner))


def test_shares_of_members_are_averaged() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 6, 3, 3)
    nets = [CentreNet(6, 8, 1, 0.0, 3).eval() for _ in range(2)]
    mean = torch.stack([net(x).softmax(dim=1) for net in nets]).mean(dim=0)
    assert torch.allclose(Averaged(nets)(x).softmax(dim=1), mean, atol=1e-6)


def test_only_the_window_is_normalised_and_kept(view) -> None:
    toy = view((9, 6), patch=5)
    read = Window(toy.normaliser, 3)(toy.real.x)
    assert np.array_equal(read, toy.normaliser.patches(toy.real.x)[:, :, 1:4, 1:4])
    assert Window(toy.normaliser, 7)(toy.real.x).shape[2:] == (5, 5)


def test_it_learns_classes_that_differ_whatever_is_far_from_the_centre(view, fit) -> None:
    toy = view((20, 9, 6), patch=7)
    fitted = fit(CentreCnn, toy, samples=toy.real, preset="tiny")
    far = toy.real.x.copy()
    far[:, :, 0] = 100
    named = fitted.predict(Patches(far, np.full_like(toy.coords, -1)))
    assert (named == toy.y).mean() > 0.9
    assert np.array_equal(named, fitted.predict(replace(toy.real, x=toy.real.x)))
