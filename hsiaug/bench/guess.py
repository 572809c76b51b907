"""What a trial may take, stage by stage, before this run has timed anything like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsiaug.registry.card import Card

__all__ = ["USUAL_REAL", "USUAL_TEST", "Guess", "guess"]

USUAL_REAL, USUAL_TEST = 518, 8172
"""Training and test pixels of Indian Pines under ``issd``, of which the seconds of cards are."""
SAMPLES_SHARE, PREDICT_SHARE = 0.1, 0.2
"""Of the seconds of a generator those of its samples, and of a classifier those of its prediction."""
LEARN_POWER, TEST_POWER = 0.4, 0.8
"""Powers of the training and of the test set that times grow with; a network takes the same number of steps of any."""


@dataclass(frozen=True)
class Guess:
    """Seconds of the stages of a trial, and what they grow with.

    fit, samples: of the generator, which one of the trials that share them spends; 0 where there are none.
    real, made: training samples. tested: test samples; 0 = unknown.
    """

    fit: float
    samples: float
    learn: float
    predict: float
    real: int
    made: int
    tested: int


def guess(seconds: Sequence[float], cards: Sequence[Card | None], real: int, made: int, tested: int) -> Guess:
    """Stages from the seconds of generator and classifier. cards: of those whose seconds are a card's, of that scene."""
    generator, classifier = seconds
    test = (max(1, tested) / USUAL_TEST) ** TEST_POWER if tested and cards[1] else 1.0
    return Guess(
        generator * (1 - SAMPLES_SHARE) * _growth(cards[0], real),
        generator * SAMPLES_SHARE,
        classifier * (1 - PREDICT_SHARE) * _growth(cards[1], real),
        classifier * PREDICT_SHARE * test,
        real,
        made,
        tested,
    )


def _growth(card: Card | None, real: int) -> float:
    """What a training set of that size makes of a card's seconds."""
    return 1.0 if card is None or card.uses_device else (max(1, real) / USUAL_REAL) ** LEARN_POWER
