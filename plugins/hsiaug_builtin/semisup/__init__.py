"""Semi-supervised classifiers: rivals that learn from the same unlabelled pixels as a generator
may, without samples.
"""

from hsiaug_builtin import listing

PLACES = {
    "self-training": "semisup.self_training:SelfTraining",
    "label-spreading": "semisup.label_spreading:SpectralSpatialSpreading",
    "fixmatch": "semisup.fixmatch:FixMatch",
}
hsiaug_plugins = listing("classifier", PLACES)
