"""Results that are computed once."""

import gc
from dataclasses import replace
from weakref import ref

import numpy as np

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.memoise import once_a_view, once_the_pixels, remember


def test_a_result_is_found_by_the_content_of_the_arguments_and_the_oldest_are_dropped() -> None:
    calls = []

    @remember(2)
    def total(x: np.ndarray, times: float) -> float:
        calls.append(times)
        return float(x.sum() * times)

    x = np.arange(4.0)
    assert total(x, 2) == total(x.copy(), 2) == 12 and calls == [2]
    assert total(x[::-1], 2) == 12 and total(x.astype(np.float32), 2) == 12 and calls == [2] * 3
    assert total(x, 2) == 12 and calls == [2] * 4, "the oldest of more than two"
    x[0] = 1
    assert total(x, 2) == 14


def test_what_depends_on_pixels_alone_is_computed_once_for_all_draws_that_show_the_same(
    toy: Scene,
) -> None:
    calls = []

    @once_the_pixels
    def mean(view: TrainView) -> float:
        calls.append(view)
        return float(np.nanmean(view.cube))

    views = [
        train_view(toy, draw_split(toy, parse_protocol("issd"), seed, 5), "scene")
        for seed in (0, 1)
    ]
    assert mean(views[0]) == mean(views[1]) and len(calls) == 1
    brighter = replace(views[0], cube=2 * views[0].cube)
    assert mean(brighter) != mean(views[1]) and len(calls) == 3, "the latest alone is kept"


def test_what_depends_on_a_view_and_plain_values_is_kept_as_long_as_the_view(toy: Scene) -> None:
    calls = []

    @once_a_view
    def counted(view: TrainView, power: int, *, progress: object) -> int:
        calls.append(power)
        return len(view.y) ** power

    view = train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")
    told = [counted(view, power, progress=object()) for power in (1, 2, 1, 2)]
    assert calls == [1, 2] and told[:2] == told[2:]
    assert counted(replace(view), 1, progress=None) == told[0] and calls == [1, 2, 1]
    gone = ref(view)
    del view
    gc.collect()
    assert gone() is None
