"""The answer that a benchmark has while it runs: of the draws that have ended."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hsiaug.base.errors import StoreError
from hsiaug.bench.groups import FIRST_DRAWS
from hsiaug.bench.plan import Plan
from hsiaug.trial.record_json import Record
from hsiaug.trial.store import Store

SHARE = 0.02
"""Share of a run's time that its answers may take; the first one is free."""


AnswerWriter = Callable[[Sequence[Record], str], Sequence[str]]
"""Says in lines what records show of the draws that have ended, as ``2 of 7 draws``."""


@dataclass
class _Draw:
    """A draw of a table: its trials, and how many of them are left."""

    trials: list[str] = field(default_factory=list)
    left: int = 0


class _Table:
    """The draws of the trials that stand in one table of a report."""

    def __init__(self) -> None:
        self.draws: dict[int, _Draw] = {}
        self._whole: list[_Draw] = []

    def add(self, hash: str, seed: int, *, waits: bool) -> None:
        """Add a trial; waits: whether it has not ended."""
        draw = self.draws.setdefault(seed, _Draw())
        draw.trials.append(hash)
        draw.left += waits

    def begin(self) -> None:
        """Count the draws that have ended before the run."""
        self._whole = [draw for draw in self.draws.values() if not draw.left]

    def end(self, seed: int) -> bool:
        """Take in that a trial has ended; True where its draw has."""
        draw = self.draws[seed]
        draw.left -= 1
        self._whole += [] if draw.left else [draw]
        return not draw.left

    @property
    def ended(self) -> int:
        """How many draws have ended."""
        return len(self._whole)

    @property
    def words(self) -> str:
        """``2 of 7 draws``; empty where none has ended."""
        return f"{self.ended} of {len(self.draws)} draws" if self.ended else ""

    @property
    def trials(self) -> list[str]:
        """Hashes of the trials of the draws that have ended."""
        # Several plans of a run may have a trial in common.
        return list(dict.fromkeys(hash for draw in self._whole for hash in draw.trials))


class RunningAnswer:
    """Follows the trials of a run, and answers its questions whenever a draw has ended.

    Parameters
    ----------
    plans : sequence of Plan
        Of the run.
    waiting : collection of str
        Hashes of the trials that are to run.
    store : Store
        Where their records are.
    answer : callable or None
        Gives the lines of an answer; None = draws are counted alone.
    clock : callable
        Seconds, in this process.

    Attributes
    ----------
    lines : tuple of str
        The latest answer; empty while there is none.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        waiting: Collection[str],
        store: Store,
        answer: AnswerWriter | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lines: tuple[str, ...] = ()
        self._store = store
        self._answer = answer
        self._clock = clock
        self._began = clock()
        self._spent = 0.0
        self._left = len(set(waiting))
        # A trial may stand in the tables of several runs of a suite.
        self._places: dict[str, list[tuple[_Table, int]]] = {}
        tables: dict[tuple[object, ...], _Table] = {}
        for plan in plans:
            for trial in {trial.hash: trial for trial in plan.trials}.values():
                key = plan.run, plan.task, trial.scene_sha256, trial.protocol, trial.patch
                table = tables.setdefault(key, _Table())
                waits = trial.hash in waiting
                table.add(trial.hash, trial.seed, waits=waits)
                if waits:
                    self._places.setdefault(trial.hash, []).append((table, trial.seed))
        for table in tables.values():
            table.begin()
        self._latest = next(iter(tables.values()), None)

    @property
    def draws(self) -> str:
        """``2 of 7 draws`` of the table whose trial ended last; empty where none has ended."""
        return self._latest.words if self._latest else ""

    def end(self, hash: str) -> bool:
        """Take in that a trial has ended; True where there is a new answer."""
        self._left -= 1
        news = False
        for table, seed in self._places.pop(hash, ()):
            news |= table.end(seed)
            self._latest = table
        if not news or not self._left:
            return False
        if self.lines and self._spent > SHARE * (self._clock() - self._began):
            return False
        return self._renew(least=FIRST_DRAWS)

    def now(self) -> tuple[str, ...]:
        """The answer of what has ended by now, of however few draws."""
        self._renew(least=1)
        return self.lines

    def _renew(self, least: int) -> bool:
        """Answer anew where so many draws have ended; True where the answer is another one."""
        table = self._latest
        if self._answer is None or table is None or table.ended < least:
            return False
        begun = self._clock()
        lines: Sequence[str] = ()
        # The run itself says what is wrong with the store.
        with suppress(StoreError):
            records = self._store.read(table.trials).records
            lines = self._answer(records, table.words)
        self._spent += self._clock() - begun
        news = bool(lines) and tuple(lines) != self.lines
        self.lines = tuple(lines) or self.lines
        return news
