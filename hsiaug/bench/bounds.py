"""What the workers of a run may read, and how much they may take of the machine."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hsiaug.base.errors import InputError, check_known
from hsiaug.registry.isolation.confinement import why_open

Isolate = Literal["auto", "on", "off"]
RESOURCES = {"memory": "RLIMIT_AS", "file": "RLIMIT_FSIZE", "processes": "RLIMIT_NPROC"}
"""What can be bounded, and by which limit of the system: bytes of addresses, of a file, and
processes of the user.
"""
UNITS = {"": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class Bounds:
    """What the workers of a run may do and use.

    Attributes
    ----------
    isolate : Isolate
        Whether workers are kept from the files that hold labels; auto = where the system can.
    limits : tuple of (str, int)
        Of each worker, by the names of RESOURCES.
    as_typed : tuple of str
        The same, as ``memory=8GB``.
    """

    isolate: Isolate = "auto"
    limits: tuple[tuple[str, int], ...] = ()
    as_typed: tuple[str, ...] = ()

    @classmethod
    def of(cls, isolate: Isolate, limits: Iterable[str]) -> "Bounds":
        """From options, limits as ``memory=8GB``. Raises InputError for what cannot be read, or
        kept on this system.
        """
        if isolate == "on" and (why := why_open()):
            hint = "Use --isolate auto, or Linux 5.19 or later on x86-64 or ARM."
            raise InputError("--isolate on needs Landlock and seccomp", value=why, hint=hint)
        found: dict[str, int] = {}
        typed = tuple(limits)
        for limit in typed:
            name, _, text = limit.partition("=")
            check_known("--limit must name what is limited", name, RESOURCES)
            match = re.fullmatch(r"([1-9][0-9]{0,8})\s*(MB|GB|TB|)", text.strip())
            if match is None or bool(match[2]) == (name == "processes") or sys.platform == "win32":
                hint = "Write memory=8GB, file=500MB or processes=200; Windows has no such limits."
                raise InputError("--limit must be NAME=AMOUNT", value=repr(limit), hint=hint)
            if name == "memory" and sys.platform == "darwin":
                rule, hint = (
                    "--limit memory needs Linux",
                    "Leave it out; file and processes can be.",
                )
                raise InputError(rule, value="macOS, which keeps no such limit", hint=hint)
            found[name] = int(match[1]) * UNITS[match[2]]
        return cls(isolate, tuple(found.items()), typed)

    def apply(self) -> None:
        """Limit this process, and those that it starts."""
        if self.limits:
            import resource

            for name, most in self.limits:
                kind = getattr(resource, RESOURCES[name])
                highest = resource.getrlimit(kind)[1]
                most = most if highest == resource.RLIM_INFINITY else min(most, highest)
                resource.setrlimit(kind, (most, most))


UNBOUNDED = Bounds()
