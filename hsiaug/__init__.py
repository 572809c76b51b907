"""hsiaug: augmentation for hyperspectral scenes with few, unequal labels, benchmarked honestly.

Plugin authors import :mod:`hsiaug.api`; users run the ``hsiaug`` command. Importing this package
loads neither torch nor numpy.
"""

__version__ = "0.1.0"
