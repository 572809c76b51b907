"""Floating-point operations of a run, as torch counts those of matrix products and convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count


def operation_counter() -> FlopCounterMode:
    """A counter that takes the groups of a convolution into account in its gradients too.

    torch's own count of the gradient of the weights has none: of a depthwise convolution it is too
    large by the number of channels, and then most of what a ConvNeXt block is said to compute.
    """
    backward = {torch.ops.aten.convolution_backward: convolution_gradients}
    return FlopCounterMode(display=False, custom_mapping=backward)


def convolution_gradients(
    gradient_shape: Sequence[int],
    input_shape: Sequence[int],
    weight_shape: Sequence[int],
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    wanted: Sequence[bool],
    **_: Any,
) -> int:
    """Operations of the gradients of a convolution: each takes as many as the convolution.

    Parameters
    ----------
    gradient_shape : sequence of int
        Of the gradient of the output, and so of the output.
    input_shape, weight_shape : sequence of int
        Of the convolution.
    transposed : bool
        Whether the convolution is a transposed one.
    wanted : sequence of bool
        Whether the gradients of input, weight and bias are asked for; that of the bias is a sum,
        which is not counted.
    """
    once = conv_flop_count(
        list(input_shape), list(weight_shape), list(gradient_shape), transposed=transposed
    )
    return once * sum(wanted[:2])
