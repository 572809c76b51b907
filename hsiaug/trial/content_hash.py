"""Content hashes: the names of trials, draws and fits."""

import hashlib
import json

CANONICAL = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    # A value in itself is a RecursionError; to look for one takes a fifth of the time.
    check_circular=False,
)


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return CANONICAL.encode(value)


def short_hash(value: object) -> str:
    """First 16 hex digits of the SHA-256 of a value's canonical JSON."""
    return hash_of_json(canonical_json(value))


def hash_of_json(text: str) -> str:
    """That of a value whose canonical JSON is there."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
