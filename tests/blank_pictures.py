"""Pictures that stay blank, for tests that look at something else."""

import pytest

__all__ = ["leave_pictures_blank"]


def leave_pictures_blank(patch: pytest.MonkeyPatch) -> None:
    """Put figures together and write them, and do not draw them, which is most of their work, until
    the patch is undone. Of few pixels: to write empty ones is most of the rest.
    """
    patch.setattr("matplotlib.figure.Figure.draw", lambda figure, renderer: None)
    patch.setattr("hsiaug.report.figures.files.DPI", 20)
