"""What benchmarks, advice and suggestions run where the user leaves it open. Help prints these
values.

What depends on the data besides, as the side of tiles does, is said by
:func:`hsiaug.bench.request.defaults_for`. Loads no numerical library, for ``--help`` reads it.
"""

from hsiaug.core.view_names import DEFAULT_VIEW
from hsiaug.protocol.balance import DEFAULT_TIMES
from hsiaug.trial import STORE as STORE
from hsiaug.trial.arm import BOTH

GENERATORS = {
    "pixels": ("smote",),
    "segmentation": ("specdm",),
    "change": ("specdm",),
}
"""By task; the first makes the samples outside a benchmark too."""
PROPOSED = ("pseudo", "gaussian")
"""Generators that ``start`` and ``datasets add`` propose for a scene of pixels. ``pseudo`` gained
on most public scenes (docs/decide.md); the teacher's own map runs beside it as a control.
"""
CLASSIFIERS = {
    "pixels": ("svm", "cnn2d", "filtered:svm"),
    "segmentation": ("unet", "pixel-svm"),
    "change": ("fc-siam-diff",),
}
"""By task."""
ADVISED = ("emp", "fused:svm")
"""Classifiers that ``advise`` tries on pixels beside the usual ones."""
RECOMMENDED = "fused:svm"
"""Classifier that ``advise`` names where its draws tell no other: with samples of ``pseudo`` it had
the lowest mean regret of 17 arms on draws 100–106 of four scenes.
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
PROTOCOL = "issd"
"""Of pixels; of masks it depends on the data."""
PATCH = 9
"""Side of patches in pixels; that of tiles depends on the data."""
TIMES = DEFAULT_TIMES
"""M for pixels; for masks it is 0."""
VIEW = DEFAULT_VIEW
"""Spectral view for pixels with enough bands; raw for all others."""
