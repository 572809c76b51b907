"""How names and numbers are written in every table."""

MISSING = "–"
LEAKY, TRANSDUCTIVE = "LEAKY", "TRANSDUCTIVE"
NEIGHBOURS = "test pixels are neighbours of training pixels"
"""What makes a draw LEAKY."""
LOCATION_ALONE = "location alone answers for part of the score"
"""What that does to its scores."""
MOST_TOLD = 3
"""Parameters that the names of arms all say, where they differ."""


def tagged(text: str, leaky: bool, transductive: bool = False) -> str:
    """A text with the tags that a leaky protocol wears in every format and picture, and in pictures
    a table of which a method read unlabelled test pixels.
    """
    tags = [LEAKY] * leaky + [TRANSDUCTIVE] * transductive
    return f"{', '.join(tags)}: {text}" if tags else text


def measured(value: float | None) -> str:
    """A number of ``hsiaug inspect``, three digits of it."""
    return (
        MISSING
        if value is None
        else (f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}").replace("-", "−")
    )
