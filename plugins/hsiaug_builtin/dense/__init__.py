"""Networks for the dense tasks: they label every pixel of a tile of one date, or what changed
between two.
"""

from hsiaug_builtin import listing

PLACES = {
    "unet": "dense.networks:Unet",
    "segformer": "dense.networks:Segformer",
    "smp": "dense.networks:Smp",
    "fc-siam-diff": "dense.networks:FcSiamDiff",
    "siamcrnn": "dense.networks:SiamCrnn",
    "changeformer": "dense.networks:ChangeFormer",
    "pixel-svm": "dense.pixels:PixelSvm",
    "pixel-rf": "dense.pixels:PixelForest",
    "majority": "dense.majority:Majority",
}
hsiaug_plugins = listing("classifier", PLACES, controls=("majority", "pixel-svm"))
