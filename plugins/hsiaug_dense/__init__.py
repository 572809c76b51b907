"""Networks for the dense tasks: they label every pixel of a tile of one date, or what changed between two."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The classifiers of this package."""
    return [
        Entry("classifier", "unet", "hsiaug_dense.unet:Unet"),
        Entry("classifier", "segformer", "hsiaug_dense.segformer:Segformer"),
        Entry("classifier", "fpn", "hsiaug_dense.fpn:Fpn"),
        Entry("classifier", "fc-siam-conc", "hsiaug_dense.fc_siam:FcSiamConc"),
        Entry("classifier", "fc-siam-diff", "hsiaug_dense.fc_siam:FcSiamDiff"),
        Entry("classifier", "siamcrnn", "hsiaug_dense.siamcrnn:SiamCrnn"),
        Entry("classifier", "changeformer", "hsiaug_dense.changeformer:ChangeFormer"),
        Entry("classifier", "majority", "hsiaug_dense.majority:Majority"),
    ]
