"""How long trials should take, as the cards of their plugins say: until the first trials of a run
have ended, whose speed says more (:mod:`hsiaug.bench.progress`).
"""

from collections.abc import Iterable
from pathlib import Path

from hsiaug.bench.plan import Plan
from hsiaug.registry.card import Card
from hsiaug.tasks.task import USUAL
from hsiaug.trial.saved_fits import has_fit
from hsiaug.trial.spec import TrialSpec

USUAL_REAL = 518
"""Training pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
LEARN_POWER = 0.4
"""Power of the training set that times grow with."""
SHORT = 0.05
"""Seconds below which times do not differ."""


class Costs:
    """Expected seconds of the trials of a plan.

    Parameters
    ----------
    plan : Plan
        With the cards of its plugins.
    cache : Path or None
        Cache of the store; a generator that is saved there takes no time.
    """

    def __init__(self, plan: Plan, cache: Path | None = None) -> None:
        self._cards = {card.name: card for card in plan.cards.values()}
        self._samples = plan.samples
        self._cache = cache

    def of_fit(self, trial: TrialSpec) -> float:
        """Expected seconds of the fit that a trial needs; none of one that is saved."""
        real, synthetic = self._samples[trial.hash]
        if not synthetic or (self._cache and has_fit(self._cache, trial)):
            return 0.0
        return _seconds(self._cards[trial.generator.name], trial.task, real)

    def beyond_fit(self, trials: Iterable[TrialSpec]) -> float:
        """Expected seconds of trials without what they share."""
        return sum(
            _seconds(self._cards[trial.classifier.name], trial.task, sum(self._samples[trial.hash]))
            for trial in trials
        )

    def of_preparation(self, trial: TrialSpec) -> float:
        """Expected seconds of what its generator learns once for the scene."""
        card = self._cards[trial.generator.name]
        prepares = card.prepares and self._samples[trial.hash][1]
        return card.prepare_seconds if prepares else 0.0

    def each(self, trials: Iterable[TrialSpec]) -> dict[str, float]:
        """Expected seconds of every trial, by hash; the first of those that share something makes
        it.

        Parameters
        ----------
        trials : iterable of TrialSpec
            In the order in which they run.
        """
        made: set[object] = set()
        seconds = {}
        for trial in trials:
            shared = {
                trial.fit_hash: self.of_fit,
                (trial.generator.hash, trial.scene_sha256): self.of_preparation,
            }
            seconds[trial.hash] = self.beyond_fit([trial]) + sum(
                cost(trial) for key, cost in shared.items() if key not in made
            )
            made.update(shared)
        return seconds


def _seconds(card: Card, task: str, size: int) -> float:
    """Seconds of a plugin on so many samples."""
    seconds = float(card.seconds)
    # A network takes the same number of steps of any training set.
    if not card.uses_device and task == USUAL:
        seconds *= float((max(1, size) / USUAL_REAL) ** LEARN_POWER)
    return max(SHORT, seconds)


def write_duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
