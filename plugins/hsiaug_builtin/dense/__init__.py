"""Networks for the dense tasks: they label every pixel of a tile of one date, or what changed between two."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]

CLASSIFIERS = {
    "unet": "segmentation:Unet", "segformer": "segmentation:Segformer", "fpn": "segmentation:Fpn",
    "fc-siam-conc": "change:FcSiamConc", "fc-siam-diff": "change:FcSiamDiff", "siamcrnn": "change:SiamCrnn",
    "changeformer": "change:ChangeFormer", "majority": "majority:Majority", "pixel-svm": "pixels:PixelSvm",
    "pixel-rf": "pixels:PixelForest",
}  # fmt: skip
"""Name of each classifier, and where it is in this package."""


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [Entry("classifier", name, f"{__name__}.{path}") for name, path in CLASSIFIERS.items()]
