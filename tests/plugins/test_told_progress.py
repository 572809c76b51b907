"""What a plugin says of its progress is taken for what it is worth."""

import numpy as np
import pytest

from hsiaug.registry.progress import progress_values


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ((3, 10, "epoch"), (3, 10, "epoch")),
        ((np.int64(3), np.float32(10)), (3, 10, "")),
        (("3", None, None), (0, 0, "")),
        ((float("nan"), float("inf"), "[/]"), (0, 10**12, "[/]")),
        ((-1, 10**400, "\x1b[2J"), (0, 0, r"\x1b[2J")),
        (([1], {}, Rude()), (0, 0, "")),
        ((1, 2, 7), (1, 2, "7")),
    ],
)
def test_junk_becomes_plain_values(said: tuple[object, ...], taken: tuple[int, int, str]) -> None:
    assert progress_values(*said) == taken
