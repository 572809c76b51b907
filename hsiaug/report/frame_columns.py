"""Columns of the frames that Python is given, which a run without a finished trial has too."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.trial.record import COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame

IDENTITY = (
    *("hash", "status", "error_type", "error_message", "task", "scene", "scene_sha256"),
    *("protocol", "protocol_argument", "buffer", "patch", "other_settings", "seed"),
    *("generator", "generator_version", "generator_params"),
    *("classifier", "classifier_version", "classifier_params", "view", "view_shown", "train"),
    *("lambda", "times", "omega", "omega_convention"),
)
"""What a trial is, in every row of it."""

OF_TRIALS = (
    *IDENTITY,
    *("oa", "aa_large", "aa", "kappa", "macro_f1", "worst_recall", "recall_spread"),
    *("aa_seen", "aa_new", "oa_seen", "oa_new", "worst_class", "transductive", "leaky", "radius"),
    *("n_train", "n_test", "n_buffered", "centre_overlap_percent", "patch_overlap_percent"),
    *("split_sha256", *(column.name for column in COLUMNS), "created"),
)
OF_CLASSES = (
    *IDENTITY,
    *("class_id", "class_name", "recall", "train_n", "test_n", "real_n", "synthetic_n"),
)
OF_GAINS = (
    *("scene", "protocol", "generator", "lambda", "times", "omega", "classifier", "over"),
    *("metric", "gain", "low", "high", "smallest", "largest", "shown"),
    *("second_metric", "second_gain", "p_corrected", "draws", "rival"),
    "verdict",
)


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "DataFrame":
    """Rows as a frame; without any, one that has the columns of a run of pixels."""
    from pandas import DataFrame

    return DataFrame(list(rows)) if rows else DataFrame(columns=list(columns))
