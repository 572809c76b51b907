"""Semi-supervised classifiers: rivals that learn from the same unlabelled pixels as a generator may, without samples."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]

CLASSIFIERS = {
    "self-training": "self_training:SelfTraining", "label-spreading": "label_spreading:SpectralSpatialSpreading",
    "mean-teacher": "networks:MeanTeacher", "fixmatch": "networks:FixMatch",
    "entropy-min": "networks:EntropyMin",
}  # fmt: skip
"""Name of each classifier, and where it is in this package."""


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    own = [Entry("classifier", name, f"{__name__}.{path}") for name, path in CLASSIFIERS.items()]
    return [*own, Entry("classifier", "teacher", "hsiaug_builtin.teacher.classifier:TeacherClassifier")]
