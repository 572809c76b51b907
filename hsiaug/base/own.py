"""What hsiaug itself wrote for this user: digests that nobody can make without the user's key.

A store may come from anyone, with anything in its cache. Source: RFC 7693 (keyed BLAKE2).
"""

import hashlib
import secrets
from contextlib import suppress
from functools import cache

from hsiaug.base.files import replaced

KEY_BYTES, DIGITS = 32, 32


def own_digest(*parts: bytes) -> bytes:
    """DIGITS hexadecimal digits of parts, of which the last alone may hold a zero byte, under the
    user's key.
    """
    return (
        hashlib.blake2b(b"\0".join(parts), key=_key(), digest_size=DIGITS // 2).hexdigest().encode()
    )


@cache
def _key() -> bytes:
    """The user's key, made where there is none; one of this process alone where the system keeps
    none.
    """
    import platformdirs  # takes a while

    path, made = (
        platformdirs.user_state_path("hsiaug", appauthor=False) / "key",
        secrets.token_bytes(KEY_BYTES),
    )
    with suppress(OSError):
        if path.is_absolute() and not path.exists():
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            replaced(path, lambda fresh: fresh.write_bytes(made))
        found = path.read_bytes()
        return found if len(found) == KEY_BYTES else made
    return made
