"""Classifiers that ship with hsiaug: SVM, random forest, a small 2D-CNN, and the location control."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [
        Entry("classifier", "svm", "hsiaug_classifiers.svm:Svm"),
        Entry("classifier", "rf", "hsiaug_classifiers.forest:Forest"),
        Entry("classifier", "cnn2d", "hsiaug_classifiers.cnn2d:Cnn2d"),
        Entry("classifier", "coords", "hsiaug_classifiers.location:Location"),
    ]
