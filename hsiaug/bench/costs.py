"""Expected seconds of trials, of the plugins' cards, corrected by records.

A card's seconds are of Indian Pines. A plugin deviates from them as in the records of trials that
had it, with the same settings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hsiaug.bench.missing import RunRecords
from hsiaug.bench.plan import Plan
from hsiaug.registry.card import Card, preparing_params
from hsiaug.tasks.settings import PATCH
from hsiaug.tasks.task import USUAL
from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.saved_fits import has_fit
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

USUAL_REAL = 518
"""Training pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
LEARN_POWER = 0.4
"""Power of the training set that times grow with."""
SHORT = 0.05
"""Seconds below which times do not differ."""
MAX_RECORDS = 20_000
"""Records that costs are learned from; more would tell no more, and take longer."""
UNKNOWN = 10.0
"""Seconds of a plugin of which there is no card."""
STAGES = {
    "classifier": ("fit_classifier", "predict"),
    "generator": ("fit_generator", "sample", "said_and_seen"),
}
"""Stages of a record's timings, by the kind of the plugin that they are of."""


class Costs:
    """Seconds by the plugins of trials.

    Attributes
    ----------
    cache : Path or None
        Cache of the store; a generator that is saved there takes no time.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache
        self._cards: dict[str, Card] = {}
        self._samples: dict[str, tuple[int, int]] = {}
        # Number and sum of measured over guessed seconds, by plugin and settings.
        self._timed: dict[str, tuple[int, float]] = {}
        # Generators and scenes, of which what is learnt once is there.
        self._prepared: set[str] = set()
        # By the hash of the trial.
        self._parts: dict[str, dict[str, tuple[float, bool]]] = {}

    @classmethod
    def of(
        cls, plans: Sequence[Plan], records: Iterable[Record], cache: Path | None = None
    ) -> "Costs":
        """Costs of the trials of some plans.

        Parameters
        ----------
        records : iterable of Record
            Records of any trials.
        """
        costs = cls(cache)
        for plan in plans:
            costs._cards |= {card.name: card for card in plan.cards.values()}
            costs._samples |= plan.samples
        for record in records:
            if record["status"] == "ok":
                costs._learn(record)
        return costs

    def _learn(self, record: Record) -> None:
        spec = record["spec"]
        timings = record["timings"]
        samples = record["samples"]
        if record.get("prepared"):
            self._prepared.add(canonical_json([spec["generator"], spec["scene"]]))
        for kind, guess in self._guesses(
            spec, sum(samples["real"]), sum(samples["synthetic"])
        ).items():
            seconds = sum(timings.get(stage, 0.0) for stage in STAGES[kind])
            plugin = canonical_json([kind, spec[kind]])
            # Samples that a larger λ had made took no time.
            if kind == "classifier" or seconds > SHORT or plugin not in self._timed:
                number, total = self._timed.get(plugin, (0, 0.0))
                self._timed[plugin] = number + 1, total + max(SHORT, seconds) / guess

    def _guesses(self, spec: Mapping[str, Any], real: int, synthetic: int) -> dict[str, float]:
        """Seconds by the cards of a trial's plugins, by kind. spec: as JSON."""
        found = {}
        for kind, size in {
            "classifier": real + synthetic,
            **({"generator": real} if synthetic else {}),
        }.items():
            card = self._cards.get(spec[kind]["name"])
            seconds = card.seconds if card else UNKNOWN
            # A network takes the same number of steps of any training set.
            if card and not card.uses_device and spec["task"] == USUAL:
                seconds *= float((max(1, size) / USUAL_REAL) ** LEARN_POWER)
            found[kind] = max(SHORT, seconds)
        return found

    def parts(self, trial: TrialSpec) -> dict[str, tuple[float, bool]]:
        """Expected seconds of what a trial makes, and whether it was timed; by a key that trials
        share with the part.
        """
        if trial.hash not in self._parts:
            self._parts[trial.hash] = self._expected(trial)
        return self._parts[trial.hash]

    def _expected(self, trial: TrialSpec) -> dict[str, tuple[float, bool]]:
        spec = trial.as_json()
        keys = {"classifier": trial.hash, "generator": trial.fit_hash}
        real, synthetic = self._samples.get(
            trial.hash, (USUAL_REAL, int(bool(trial.generated_rate)))
        )
        found = {}
        for kind, guess in self._guesses(spec, real, synthetic).items():
            number, total = self._timed.get(canonical_json([kind, spec[kind]]), (0, 0.0))
            found[keys[kind]] = guess * (total / number if number else 1.0), number > 0
        if self.cache and has_fit(self.cache, trial):
            found.pop(trial.fit_hash, None)
        card = self._cards.get(trial.generator.name)
        if synthetic and card and card.prepares:
            once = canonical_json([spec["generator"], spec["scene"]])
            if once not in self._prepared and not _comes_prepared(card, trial):
                found[once] = card.prepare_seconds, False
        return found


def _comes_prepared(card: Card, trial: TrialSpec) -> bool:
    """Whether what the generator of a trial learns once a scene comes with the plugin."""
    usual = preparing_params(trial.generator.params) == preparing_params(card.params())
    return usual and trial.patch == PATCH and trial.scene_sha256 in card.prepared_scenes


def timed_records(records: RunRecords) -> Iterator[Record]:
    """Records of a run's store that costs are learned from, MAX_RECORDS at most: those that were
    read before, and then others.
    """
    if records.store is not None:
        hashes, known = records.store.hashes()[:MAX_RECORDS], records.read_before
        yield from (known[hash] for hash in hashes if hash in known)
        yield from records.store.each(hash for hash in hashes if hash not in known)
