"""Whether the bytes of a record are to be believed."""

from contextlib import suppress
from dataclasses import dataclass

from hsiaug.trial.record import fault_of
from hsiaug.trial.record_cache import RecordCache
from hsiaug.trial.record_json import RECORD, Record, decode, is_newer
from hsiaug.trial.shared_values import SharedValues


@dataclass(frozen=True)
class Damage:
    """A record that is not to be believed.

    Attributes
    ----------
    hash : str
        Name of its folder.
    fault : str
        Which file or key, and what it holds.
    newer : bool
        It may be sound, but a later hsiaug wrote it.
    """

    hash: str
    fault: str
    newer: bool = False

    def __str__(self) -> str:
        return f"{self.hash}: {self.fault}"

    @property
    def words(self) -> str:
        """The beginning of a sentence on it."""
        return f"{'newer' if self.newer else 'damaged'} record {self}"


class RecordCheck:
    """Decodes and checks records of one store, one after the other: values that they have in common
    are one object, and are not to be changed.

    Parameters
    ----------
    cache : RecordCache or None
        What it knows is not checked again; the others that are sound are added to it.
    """

    def __init__(self, cache: RecordCache | None = None) -> None:
        self._cache = cache
        self._shared = SharedValues()

    def __call__(self, hash: str, data: bytes) -> Record | Damage:
        """The record of that hash in some bytes, or what is wrong with it."""
        if self._cache is not None and self._cache.knows(hash, data):
            record, _ = self._shared.decode(data)
            return record
        found = self._sound(hash, data) or _looked_at_closely(hash, data)
        if self._cache is not None and not isinstance(found, Damage):
            self._cache.add(found, data)
        return found

    def _sound(self, hash: str, data: bytes) -> Record | None:
        """The record, where it is sound at first sight."""
        with suppress(ValueError):
            record, texts = self._shared.decode(data)
            if fault_of(record, hash, texts) is None:
                return record
        return None


def _looked_at_closely(hash: str, data: bytes) -> Record | Damage:
    try:
        record = decode(data)
    except ValueError as error:
        return Damage(hash, f"{RECORD} holds {error}")
    fault = fault_of(record, hash)
    return record if fault is None else Damage(hash, fault, is_newer(record))
