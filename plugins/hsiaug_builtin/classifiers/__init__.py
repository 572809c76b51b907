"""Supervised classifiers: SVM, random forest, networks from 1D-CNN to transformer, and the location control."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]

CLASSIFIERS = {
    "svm": "svm:Svm", "rf": "forest:Forest", "cnn2d": "networks:Cnn2d", "cnn1d": "networks:Cnn1d",
    "cnn3d": "networks:Cnn3d", "hybridsn": "networks:HybridSn", "ssrn": "networks:Ssrn",
    "spectralformer": "networks:SpectralFormer", "timm": "backbone:Timm", "coords": "location:Location",
}  # fmt: skip
"""Name of each classifier, and where it is in this package."""


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [Entry("classifier", name, f"{__name__}.{path}") for name, path in CLASSIFIERS.items()]
