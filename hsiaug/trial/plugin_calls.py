"""Calls of plugins: what a trial takes is measured by the stages that it comes to; the process is
guarded, so that states that results depend on are restored, and failures become text.

A plugin may end in any way that Python knows (``sys.exit``, ``KeyboardInterrupt``, an exception
that cannot be printed): what ended the call becomes text that can be stored, and the process goes
on with other trials. Ways to end that Python does not know (a signal, ``os._exit``) are for the
process that started this one to notice. What a third-party plugin replaces in its process ends
with it (``TrialSpec.third_party_parts``).
"""

import contextlib
import json
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from hsiaug.base.errors import PluginError, shortage_of
from hsiaug.registry.card import Card
from hsiaug.trial.machine import (
    OptimiserWork,
    counted_work,
    give_back_memory,
    peak_memory,
    restart_peak_memory,
)
from hsiaug.trial.record_json import json_line

LONGEST_MESSAGE = 4_000
LONGEST_TRACEBACK = 20_000
"""Characters of an error that a record keeps."""

LARGEST_PROVENANCE = 2**20
"""Characters of JSON that a generator may say of its samples."""

FOR_PLUGINS = np.random.MT19937(0)
"""Source of numpy's global random functions while a plugin runs."""


@dataclass(eq=False)
class StageClock:
    """How far a trial has come, and what it took: its seconds, optimiser steps and memory are
    measured here, and nowhere else.

    Attributes
    ----------
    stage : str
        The stage that it is in, as a record names it.
    seconds : dict of float
        By the clock, for each stage that a plugin computes in.
    cpu : dict of float
        By the cores of this process, which another program's load does not lengthen.
    steps : dict of int or None
        Steps of torch's optimisers for each fit, counted here; None where a fit was made before,
        or its plugin computes without torch.
    tell : callable
        Is called with the name of each stage that begins.
    """

    stage: str = "load"
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int | None] = field(
        default_factory=lambda: {"fit_generator": None, "fit_classifier": None}
    )
    tell: Callable[[str], object] = lambda stage: None
    _begun: float = field(default=0.0, init=False, repr=False)
    _begun_cpu: float = field(default=0.0, init=False, repr=False)

    def start(self) -> None:
        """The trial begins: its seconds and its peak memory count from here."""
        self._begun = time.perf_counter()
        self._begun_cpu = time.process_time()
        restart_peak_memory()

    def begin(self, stage: str) -> None:
        """A stage begins, as a record names it."""
        self.stage = stage
        self.tell(stage)

    @contextlib.contextmanager
    def plugin(
        self, stage: str, fits: Card | None = None, *, frees: bool = True
    ) -> Iterator[OptimiserWork | None]:
        """A stage in which a plugin computes: it is measured, and the state of the process is as
        before afterwards.

        Parameters
        ----------
        stage : str
            As a record names it.
        fits : Card, optional
            Of the plugin, where its optimiser steps are counted. For one without a device torch is
            not even loaded.
        frees : bool
            Whether memory may be freed in it, which other processes may need now.

        Yields
        ------
        OptimiserWork or None
            The steps so far.
        """
        counts_steps = fits is not None and fits.uses_device
        with counted_work() if counts_steps else contextlib.nullcontext() as work, kept_state():
            self.begin(stage)
            start = time.perf_counter()
            start_cpu = time.process_time()
            yield work
            self.seconds[stage] = time.perf_counter() - start
            self.cpu[stage] = time.process_time() - start_cpu
        if fits is not None:
            self.steps[stage] = None if work is None else work.steps
        if frees:
            give_back_memory()

    def as_json(self) -> dict[str, object]:
        """What the record of the trial says of it."""
        return {
            "timings": {**self.seconds, "total": time.perf_counter() - self._begun},
            "cpu_seconds": {**self.cpu, "total": time.process_time() - self._begun_cpu},
            "optimiser_steps": self.steps,
            "peak_memory_mb": peak_memory(),
        }


@contextlib.contextmanager
def kept_state() -> Iterator[None]:
    """Put back afterwards, whatever happens within, what later results depend on.

    Global random states, numpy's error handling, warning filters; of torch, where it is loaded,
    random state, threads, default dtype and gradient mode. Python's and numpy's global generators
    of random numbers start alike in every block: no plugin should read them, and one that does
    gives the same result again. All else that a plugin of another package leaves behind ends with
    its process, in which no trial without that plugin runs.

    Raises PluginError in place of SystemExit, which would end the whole command in silence.
    """
    with (
        warnings.catch_warnings(),
        np.errstate(),
        _same_random_numbers(),
        contextlib.ExitStack() as stack,
    ):
        stack.callback(_torch())
        try:
            yield
        except SystemExit as error:
            raise PluginError(
                "a plugin must return, or raise an exception",
                value=f"sys.exit({error.code!r})",
                hint="Raise a ValueError that says what is wrong.",
            ) from error


@contextlib.contextmanager
def _same_random_numbers() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_bit_generator()  # type: ignore[attr-defined]
    # Another generator in its place: to copy the state of 624 words round every call takes longer
    # than some calls.
    np.random.set_bit_generator(FOR_PLUGINS)  # type: ignore[attr-defined]
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_bit_generator(numpy)  # type: ignore[attr-defined]


def _torch() -> Callable[[], None]:
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_rng_state"):
        return lambda: None
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    dtype, gradient = torch.get_default_dtype(), torch.is_grad_enabled()

    def restore() -> None:
        torch.set_rng_state(state)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradient)

    return restore


def call_failure(error: BaseException) -> dict[str, str]:
    """``type``, ``message`` and ``traceback`` of what ended a plugin's call, as text that every
    file can hold.
    """
    short = shortage_of(error)
    want = f" ({short.rule})" if short else ""
    # Unlike str(error), it stands an error whose text cannot be read.
    traced = traceback.TracebackException.from_exception(error)
    return {
        "type": _storable(type(error).__name__, LONGEST_MESSAGE),
        "message": _storable(f"{traced}{want}", LONGEST_MESSAGE),
        "traceback": _storable("".join(traced.format()), LONGEST_TRACEBACK),
    }


def _storable(text: str, longest: int) -> str:
    if len(text) > longest:
        text = f"{text[: longest // 2]} … ({len(text):,} characters) … {text[-(longest // 2) :]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def plain_json(
    provenance: Mapping[str, object], what: str = "the provenance of samples"
) -> dict[str, object]:
    """Facts that a plugin states of its samples or its fit, converted through JSON.

    Parameters
    ----------
    what : str
        The same, as errors call it.

    Raises
    ------
    PluginError
        Where JSON cannot hold it, or it is larger than a megabyte.
    """
    try:
        text = json_line(dict(provenance))
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        rule = f"{what} must be plain JSON: text, finite numbers, true, false, lists and mappings"
        hint = "Convert numpy numbers by float() or int(), arrays by tolist(); leave out NaN."
        raise PluginError(rule, value=f"{type(error).__name__}: {error}", hint=hint) from error
    if len(text) > LARGEST_PROVENANCE:
        rule = f"{what} may have {LARGEST_PROVENANCE:,} characters of JSON"
        raise PluginError(
            rule, value=f"{len(text):,}", hint="Keep facts there, and arrays elsewhere."
        )
    kept: dict[str, object] = json.loads(text)
    return kept
