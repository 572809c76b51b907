"""Supervised classifiers: SVM, random forest, networks from 1D-CNN to transformer, and the location control."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]

CLASSIFIERS = {
    "svm": "svm:Svm", "rf": "forest:Forest", "cnn2d": "cnn2d:Cnn2d", "cnn1d": "cnn1d:Cnn1d", "cnn3d": "cnn3d:Cnn3d",
    "hybridsn": "hybridsn:HybridSn", "ssrn": "ssrn:Ssrn", "spectralformer": "spectralformer:SpectralFormer",
    "timm": "backbone:Timm", "coords": "location:Location",
}  # fmt: skip
"""Name of each classifier, and where it is in this package."""


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [Entry("classifier", name, f"{__name__}.{path}") for name, path in CLASSIFIERS.items()]
