"""Whether the bytes of a record are to be believed."""

from dataclasses import dataclass

from hsiaug.trial.record import fault_of
from hsiaug.trial.record_json import RECORD, Record, decode


@dataclass(frozen=True)
class Damage:
    """A record that is not to be believed.

    Attributes
    ----------
    hash : str
        Name of its folder.
    fault : str
        Which file or key, and what it holds.
    """

    hash: str
    fault: str

    def __str__(self) -> str:
        return f"{self.hash}: {self.fault}"

    @property
    def words(self) -> str:
        """The beginning of a sentence on it."""
        return f"damaged record {self}"


def checked(hash: str, data: bytes) -> Record | Damage:
    """The record of that hash in some bytes, or what is wrong with it."""
    try:
        record = decode(data)
    except ValueError as error:
        return Damage(hash, f"{RECORD} holds {error}")
    fault = fault_of(record, hash)
    return record if fault is None else Damage(hash, fault)
