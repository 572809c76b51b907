"""Whether the bytes of a record are to be believed."""

from contextlib import suppress
from dataclasses import dataclass

from pydantic_core import from_json

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
    # In half of the time of json; what it takes for JSON and is none has no digest.
    with suppress(ValueError):
        record: Record = from_json(data, allow_inf_nan=False)
        if isinstance(record, dict) and fault_of(record, hash) is None:
            return record
    try:
        fault = fault_of(decode(data), hash)
    except ValueError as error:
        fault = f"{RECORD} holds {error}"
    return Damage(hash, fault or f"{RECORD} holds a number that is not JSON")
