"""hsiaug: augmentation for hyperspectral scenes with few, unequal labels, benchmarked honestly.

::

    import hsiaug

    run = hsiaug.benchmark("indian_pines", ["smote"], lambdas=[0.5], seeds=3)

Plugin authors import :mod:`hsiaug.api`; on the command line there is ``hsiaug``. Importing this
package loads neither torch nor numpy: what it offers is loaded when it is first used.
"""

from lazy_loader import attach_stub

__version__ = "0.2.0"

# The names, and where each is, are in __init__.pyi.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
