"""The stages of a trial, in their order.

A stage reads outputs of stages before it as ``run[STAGE]``. What other trials use again has a key.
"""

from collections.abc import Sequence
from typing import Any

from hsiaug.trial.pipeline import Stage
from hsiaug.trial.stages.classifier import FIT_CLASSIFIER, PREDICT
from hsiaug.trial.stages.generator import FIT_GENERATOR, PREPARE
from hsiaug.trial.stages.samples import JOIN, SAMPLE, SHEET, SPECTRA
from hsiaug.trial.stages.views import BLOCKS, CLASSIFIER_VIEW, SPLIT, TRANSFORM, VIEW

TO_SAMPLES: Sequence[Stage[Any]] = (
    SPLIT,
    TRANSFORM,
    VIEW,
    CLASSIFIER_VIEW,
    BLOCKS,
    PREPARE,
    FIT_GENERATOR,
    SAMPLE,
    SPECTRA,
    JOIN,
)
"""Up to the samples that a classifier learns from."""
TO_CLASSIFIER: Sequence[Stage[Any]] = (*TO_SAMPLES, FIT_CLASSIFIER)
"""Up to the fitted classifier."""
STAGES: Sequence[Stage[Any]] = (*TO_SAMPLES, SHEET, FIT_CLASSIFIER, PREDICT)
"""All stages of a trial."""
RECORDED = ("load", "split", *(stage.name for stage in STAGES if stage.plugin))
"""Stages as records name them: what comes between two of these counts to the first."""
