"""Generators that ship with hsiaug: the controls none, duplicate, duplicate-balanced and pseudo, noise, mixup, SMOTE,
and the learnt cvae, wgan and tabddpm."""

from hsiaug_builtin import listing

PLACES = {
    "none": "baselines.controls:Nothing",
    "duplicate": "baselines.controls:Duplicate",
    "duplicate-balanced": "baselines.controls:DuplicateBalanced",
    "noise": "baselines.noise:Noise",
    "mixup": "baselines.mixup:Mixup",
    "smote": "baselines.smote:Smote",
    "cvae": "baselines.generative:Cvae",
    "wgan": "baselines.generative:Wgan",
    "tabddpm": "baselines.generative:Tabddpm",
    "pseudo": "baselines.pseudo:Pseudo",
    "pseudo-region": "baselines.pseudo:PseudoRegion",
}
hsiaug_plugins = listing("generator", PLACES)
