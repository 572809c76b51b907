"""Types that many rooms name."""

from typing import Any

from numpy.typing import NDArray

AnyArray = NDArray[Any]
"""An array of numbers of any type."""
