"""Draws that have ended while others still run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EndedDraws:
    """Draws of one table that have ended.

    Attributes
    ----------
    ended, planned : int
        Draws.
    """

    ended: int
    planned: int

    @property
    def words(self) -> str:
        """``2 of 7 draws``."""
        return f"{self.ended} of {self.planned} draws"
