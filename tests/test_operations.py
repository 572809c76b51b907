"""Operations of convolutions, as the benchmarks of speed count them."""

import torch
from torch import nn

from benchmarks.operations import operation_counter

WIDTH, SIDE, KERNEL, COUNT = 8, 5, 3, 2


def counted(groups: int) -> tuple[int, int]:
    """Operations of a convolution, and of it and its gradients."""
    conv = nn.Conv2d(WIDTH, WIDTH, KERNEL, padding=1, groups=groups)
    x = torch.ones(COUNT, WIDTH, SIDE, SIDE, requires_grad=True)
    with operation_counter() as forward:
        y = conv(x)
    with operation_counter() as backward:
        y.sum().backward()
    return forward.get_total_flops(), backward.get_total_flops()


def test_the_gradients_of_a_depthwise_convolution_take_twice_its_own_operations() -> None:
    forward, backward = counted(groups=WIDTH)
    assert forward == 2 * COUNT * WIDTH * SIDE**2 * KERNEL**2
    assert backward == 2 * forward


def test_a_convolution_without_groups_is_counted_as_torch_does() -> None:
    forward, backward = counted(groups=1)
    assert forward == 2 * COUNT * WIDTH**2 * SIDE**2 * KERNEL**2
    assert backward == 2 * forward
