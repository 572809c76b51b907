"""What benchmarks, advice and suggestions run where the user leaves it open. Help prints these
values.

What depends on the task stands in :mod:`hsiaug.tasks.settings`. Neither loads a numerical library,
for ``--help`` reads them.
"""

from hsiaug.trial import STORE as STORE
from hsiaug.trial.arm import BOTH

PROPOSED = ("pseudo", "gaussian")
"""Generators that ``start`` and ``datasets add`` propose for a scene of pixels. ``pseudo`` gained
on most public scenes (docs/decide.md); the teacher's own map runs beside it as a control.
"""
RECOMMENDED = "fused:svm+emp"
"""Classifier that ``advise`` names where its splits tell no other: with samples of ``pseudo`` it
had the lowest mean regret of 18 configurations on splits 100–106 of four scenes (docs/decide.md).
"""
COMMITTEE = ("svm", "rf")
"""Who votes on the pixels to label next: a wide margin and many trees."""
LABELLING = "svm"
"""Makes the map that is shown while pixels are labelled."""
LAMBDAS = (1.0,)
DRAWS = 7
PRESET = "cpu"
TRAIN = (BOTH,)
"""What classifiers learn from: real and synthetic samples together."""
