"""Whether the samples of trials fit into memory."""

from collections.abc import Iterable, Sequence

from hsiaug.base.errors import InputError
from hsiaug.bench.plan import Plan
from hsiaug.data.bounds import physical_memory
from hsiaug.tasks.types import TaskData
from hsiaug.trial.spec import TrialSpec


def check_memory(plans: Iterable[Plan], todo: Sequence[TrialSpec]) -> None:
    """Raise InputError where one of the trials to run asks for more samples than the memory of this
    machine holds. The other trials of the plans are not looked at.
    """
    waiting = {trial.hash for trial in todo}
    for plan in plans:
        for trial in (trial for trial in plan.trials if trial.hash in waiting):
            check_samples(plan.scene, plan.samples[trial.hash][1], trial.patch)


def check_samples(data: TaskData, samples: int, patch: int) -> None:
    """Raise InputError where so many patches, or tiles, of the side ``patch`` do not fit.

    Parameters
    ----------
    data : TaskData
        A scene, or a set of pairs.
    """
    size = samples_bytes(data, samples, patch)
    memory = physical_memory()
    if memory is not None and size > memory:
        raise InputError(
            "`lambdas` (or -n) must ask for no more samples than this machine holds in"
            f" {memory / 1e9:,.0f} GB",
            value=(
                f"{samples:,} samples of {data.bands} bands and {patch}×{patch} pixels,"
                f" {size / 1e9:,.0f} GB"
            ),
            hint="Take a smaller λ, or a smaller `patch`.",
        )


def samples_bytes(data: TaskData, samples: int, patch: int) -> int:
    """Bytes of so many patches, or tiles of all dates, of the side ``patch``."""
    size: int = 4 * samples * patch**2 * data.bands * getattr(data, "dates", 1)
    return size
