"""The answer of the draws that have ended, while the others of a run go on."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from hsiaug.base.errors import StoreError
from hsiaug.bench.groups import FIRST_DRAWS
from hsiaug.bench.plan import Plan
from hsiaug.trial.condition import Condition
from hsiaug.trial.record_json import Record
from hsiaug.trial.store import Store

SHARE = 0.02
"""Share of a run's time that its answers may take; the first one is free."""
AnswerWriter = Callable[[Sequence[Record], str], Sequence[str]]
"""Says in lines what records show of the draws that have ended, as ``2 of 7 draws``."""
Table = tuple[str, Condition]
"""The run, and what the trials of one table of a report share."""


class RunningAnswer:
    """Follows the trials of a run, and answers its questions whenever a draw has ended.

    Parameters
    ----------
    plans : sequence of Plan
        Of the run.
    waiting : collection of str
        Hashes of the trials that are to run.
    store : Store
        Has their records.
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
        self._places: dict[str, list[tuple[Table, int]]] = {}
        # Hashes of each table, draw by draw, and how many of a draw have not ended.
        self._trials: dict[Table, dict[int, dict[str, None]]] = {}
        self._lacking: Counter[tuple[Table, int]] = Counter()
        for plan in plans:
            for trial in plan.trials:
                table = (plan.run, Condition.of(trial.as_json()))
                of_draw = self._trials.setdefault(table, {}).setdefault(trial.seed, {})
                if trial.hash in waiting and trial.hash not in of_draw:
                    self._places.setdefault(trial.hash, []).append((table, trial.seed))
                    self._lacking[table, trial.seed] += 1
                of_draw[trial.hash] = None
        self._ended = {
            table: [seed for seed in draws if not self._lacking[table, seed]]
            for table, draws in self._trials.items()
        }
        self._latest = next(iter(self._trials), None)

    @property
    def draws(self) -> str:
        """``2 of 7 draws`` of the table whose trial ended last; empty where none has ended."""
        if self._latest is None or not self._ended[self._latest]:
            return ""
        return f"{len(self._ended[self._latest])} of {len(self._trials[self._latest])} draws"

    def end(self, hash: str) -> bool:
        """Take in that a trial has ended; True where there is a new answer."""
        self._left -= 1
        news = False
        for table, seed in self._places.pop(hash, ()):
            self._latest = table
            self._lacking[table, seed] -= 1
            if not self._lacking[table, seed]:
                self._ended[table].append(seed)
                news = True
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
        if self._answer is None or table is None or len(self._ended[table]) < least:
            return False
        begun = self._clock()
        lines: Sequence[str] = ()
        # The run itself says what is wrong with the store.
        with suppress(StoreError):
            hashes = [hash for seed in self._ended[table] for hash in self._trials[table][seed]]
            lines = self._answer(self._store.read(hashes).records, self.draws)
        self._spent += self._clock() - begun
        news = bool(lines) and tuple(lines) != self.lines
        self.lines = tuple(lines) or self.lines
        return news
