"""Supervised classifiers: SVM, random forest, networks from 1D-CNN to transformer, and the location control."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [
        Entry("classifier", "svm", "hsiaug_classifiers.svm:Svm"),
        Entry("classifier", "rf", "hsiaug_classifiers.forest:Forest"),
        Entry("classifier", "cnn2d", "hsiaug_classifiers.cnn2d:Cnn2d"),
        Entry("classifier", "cnn1d", "hsiaug_classifiers.cnn1d:Cnn1d"),
        Entry("classifier", "cnn3d", "hsiaug_classifiers.cnn3d:Cnn3d"),
        Entry("classifier", "hybridsn", "hsiaug_classifiers.hybridsn:HybridSn"),
        Entry("classifier", "ssrn", "hsiaug_classifiers.ssrn:Ssrn"),
        Entry("classifier", "spectralformer", "hsiaug_classifiers.spectralformer:SpectralFormer"),
        Entry("classifier", "timm", "hsiaug_classifiers.backbone:Timm"),
        Entry("classifier", "coords", "hsiaug_classifiers.location:Location"),
    ]
