"""The user's cache: what was computed from a folder that may have come from anyone, kept where only
this user writes, so that nothing in it travels with that folder.
"""

import hashlib
import os
from pathlib import Path

VARIABLE = "HSIAUG_CACHE_DIR"


def cache_root() -> Path:
    """The folder of all that hsiaug caches for this user: $HSIAUG_CACHE_DIR if set, else that of
    the system for such files. Anything in it may be deleted at any time.
    """
    import platformdirs  # takes a while

    chosen = os.environ.get(VARIABLE)
    return Path(chosen or platformdirs.user_cache_dir("hsiaug", appauthor=False)).absolute()


def cache_of(folder: Path) -> Path:
    """The folder, which need not exist, of what is cached of another one.

    Its name is a digest of the path and the inode of that folder: another folder put into its
    place has a cache of its own.
    """
    path = folder.resolve()
    inode = path.stat().st_ino if path.exists() else 0
    identity = os.fsencode(path) + b"\0%d" % inode
    return cache_root() / "folders" / hashlib.sha256(identity).hexdigest()[:24]
