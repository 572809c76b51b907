"""Draws that have ended while others still run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EndedDraws:
    """Draws of one table that have ended.

    Attributes
    ----------
    ended, planned : int
        Draws.
    whole : bool
        Whether all trials of these draws have ended, or those alone that decide most.
    """

    ended: int
    planned: int
    whole: bool

    @property
    def words(self) -> str:
        """``2 of 7 draws``."""
        return f"{self.ended} of {self.planned} draws"
