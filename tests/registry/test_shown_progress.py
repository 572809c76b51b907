"""What a plugin says of its progress breaks no bar."""

import io

import numpy as np

from hsiaug.base.terminal import Console
from hsiaug.registry.progress import show_progress


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_junk_is_not_shown_and_what_can_be_shown_is() -> None:
    out = io.StringIO()
    said = [("x", None, None), (float("nan"), float("inf"), "[/]"), ([1], {}, Rude())]
    said += [(-1, 10**400, "\x1b[2J"), (np.int64(3), np.float32(10), "epoch")]
    with show_progress(Console(file=out, force_terminal=True, width=100), "fit") as progress:
        for one in said:
            progress(*one)
    assert "3/10" in out.getvalue() and "fit epoch" in out.getvalue()
