"""The machine of a trial: device, versions, memory; and the optimiser steps that were taken."""

import contextlib
import ctypes
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hsiaug.base.arrays import give_back_files
from hsiaug.base.errors import InputError
from hsiaug.registry.card import Card

LIBRARIES = (
    "hsiaug",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "imbalanced-learn",
    "torch",
)


def resolve_device(requested: str, card: Card) -> str:
    """The device for one plugin: "cpu" for those that use none; else what was asked, ``auto`` = a
    GPU if any.

    Raises InputError for a device that torch does not know or this machine lacks.
    """
    device = check_device(requested)
    return device if card.uses_device else "cpu"


@cache
def check_device(requested: str) -> str:
    """A device that is there, as torch names it. Where there can only be a CPU, torch is not even
    loaded.
    """
    if requested == "cpu" or (requested == "auto" and not _gpu_driver()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        gpu = "cuda"
    elif torch.backends.mps.is_available():
        gpu = "mps"
    else:
        gpu = "cpu"
    if requested == "auto":
        return gpu
    try:
        kind = torch.device(requested)
        exists = kind.type in ("cpu", gpu) and (kind.index or 0) < max(1, torch.cuda.device_count())
    except RuntimeError:
        exists = False
    if not exists:
        raise InputError(
            "`device` must name a device of this machine",
            value=repr(requested),
            hint=f"Here: auto, {', '.join(sorted({'cpu', gpu}))}.",
        )
    return requested


def _gpu_driver() -> bool:
    """Whether a driver that torch could use is installed: NVIDIA's, AMD's, or Apple's own GPU."""
    if sys.platform == "darwin":
        return True
    names = (
        ("nvcuda.dll", "amdhip64.dll")
        if sys.platform == "win32"
        else ("libcuda.so.1", "libamdhip64.so")
    )
    for name in names:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False


@dataclass
class OptimiserWork:
    """Steps of torch's optimisers."""

    steps: int = 0


@contextlib.contextmanager
def counted_work() -> Iterator[OptimiserWork]:
    """Counts the work of every optimiser of ``torch.optim`` in this process, while it lasts.

    Weights changed without one are not seen.
    """
    from torch.optim.optimizer import register_optimizer_step_post_hook

    work = OptimiserWork()

    def count(*_: object) -> None:
        work.steps += 1

    handle = register_optimizer_step_post_hook(count)
    try:
        yield work
    finally:
        handle.remove()


@cache
def environment() -> dict[str, object]:
    """Python, platform, the versions of the libraries that results depend on, and the commit of
    hsiaug.
    """
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        processor = next(models, processor)
    commit = None
    root = Path(__file__).parents[2]
    if (root / ".git").exists():
        # No git, or a folder of another user.
        with contextlib.suppress(OSError):
            words = ["git", "-C", str(root), "rev-parse", "HEAD"]
            asked = subprocess.run(words, capture_output=True, text=True, check=False)
            commit = asked.stdout.strip() or None
    return {
        "commit": commit,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor,
        "versions": versions,
    }


def give_back_memory() -> None:
    """Give the system back what this process has freed, and what it has read of arrays in temporary
    files, in a few milliseconds.
    """
    give_back_files()
    # Only glibc keeps so much that it has a function for that.
    with contextlib.suppress(AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)


def restart_peak_memory() -> None:
    """Give back memory that is not in use, and forget the peak so far, where the system can
    (Linux).
    """
    give_back_memory()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak_memory() -> float | None:
    """Peak resident memory of this process in MB, since it was restarted where that can be; None
    where none is told.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return round(int(line.split()[1]) / 1024, 1)
    try:
        import resource
    except ImportError:
        return None
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, 1)
