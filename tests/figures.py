"""Printed text with figures in it: words are compared as they stand, figures with a tolerance.

A trained, fitted or summed figure differs between processors and builds of the libraries: in its
last bits at once, and in a digit that is printed where those bits decide a pixel or a rounding.
What another machine printed is therefore never compared digit by digit.
"""

import re
from dataclasses import dataclass

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
FIGURE = re.compile(rf"(?<![\w.])[+−-]?(?:{NUMBER})(?!\w)")


@dataclass(frozen=True)
class Tolerance:
    """How far a figure may be from that of another machine.

    Parameters
    ----------
    units : float
        Of a figure with decimals: so many units of its last printed digit.
    share : float
        Of a whole number: such a share of it. 0.02 leaves counts below 50 as they are.
    """

    units: float
    share: float = 0.0

    def allows(self, one: str, other: str) -> bool:
        """Whether two printed figures, of as many decimals, are near enough."""
        decimals = len(one.partition(".")[2])
        if decimals != len(other.partition(".")[2]):
            return False
        bound = self.units * 10**-decimals if decimals else self.share * abs(value(other))
        # Figures one unit apart differ by a bit more or less than a unit in binary.
        return abs(value(one) - value(other)) <= bound * (1 + 1e-6)


def value(figure: str) -> float:
    """A printed figure as a number; its minus may be a hyphen or a minus sign."""
    return float(figure.replace(",", "").replace("−", "-"))


def words_of(text: str) -> str:
    """A text with ``#`` for each figure, and one blank for many: columns are as wide as their
    figures.
    """
    return " ".join(FIGURE.sub("#", text).split())


def figures_of(text: str) -> list[str]:
    """The figures of a text as printed."""
    return [match.group() for match in FIGURE.finditer(text)]


def differences(shown: str, expected: str, tolerance: Tolerance) -> list[str]:
    """What two texts differ in, line by line: other words, or figures too far apart. Empty where
    they are alike.
    """
    lines, wanted = shown.splitlines(), expected.splitlines()
    if len(lines) != len(wanted):
        return [f"{len(lines)} lines; expected {len(wanted)}"]
    return [
        f"{line!r}; expected {other!r}"
        for line, other in zip(lines, wanted, strict=True)
        if words_of(line) != words_of(other)
        or not all(map(tolerance.allows, figures_of(line), figures_of(other)))
    ]
