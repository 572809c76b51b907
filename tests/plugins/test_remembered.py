"""Results that are computed once."""

import numpy as np

from hsiaug_builtin.remembered import remember


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
