"""Generators that ship with hsiaug: the controls none, duplicate, duplicate-balanced and pseudo,
noise, mixup, SMOTE, and the learnt cvae, wgan and forest-flow.
"""

from hsiaug_builtin import listing

PLACES = {
    "none": "baselines.controls:Nothing",
    "duplicate": "baselines.controls:Duplicate",
    "duplicate-balanced": "baselines.controls:DuplicateBalanced",
    "noise": "baselines.noise:Noise",
    "mixup": "baselines.mixup:Mixup",
    "smote": "baselines.smote:Smote",
    "imblearn": "by_name.generator:Imblearn",
    "cvae": "baselines.generative:Cvae",
    "wgan": "baselines.generative:Wgan",
    "pseudo": "baselines.pseudo:Pseudo",
    "fill": "baselines.fill:Fill",
    "forest-flow": "baselines.forest_flow:ForestFlow",
}
CONTROLS = ("none", "duplicate", "duplicate-balanced", "pseudo")
hsiaug_plugins = listing("generator", PLACES, CONTROLS)
