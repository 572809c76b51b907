"""Semi-supervised classifiers: rivals that learn from the same unlabelled pixels as a generator may, without samples."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [
        Entry("classifier", "self-training", "hsiaug_semisup.self_training:SelfTraining"),
        Entry("classifier", "label-spreading", "hsiaug_semisup.label_spreading:SpectralSpatialSpreading"),
        Entry("classifier", "mean-teacher", "hsiaug_semisup.mean_teacher:MeanTeacher"),
        Entry("classifier", "fixmatch", "hsiaug_semisup.fixmatch:FixMatch"),
        Entry("classifier", "entropy-min", "hsiaug_semisup.entropy_min:EntropyMin"),
    ]
