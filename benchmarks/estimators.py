"""Every generator of pixels as a sampler: the checks of scikit-learn and imbalanced-learn.

    python -m benchmarks.estimators                  # all that learn from single spectra
    python -m benchmarks.estimators smote imblearn:ADASYN

Prints a row of Markdown for each generator: checks passed, skipped by their library, failed; and
each that failed. Exits with 1 where one failed.
"""

from __future__ import annotations

import argparse
import sys
import unittest
import warnings
from collections import Counter
from types import ModuleType

from imblearn.utils import estimator_checks as of_imblearn
from sklearn.utils import estimator_checks as of_sklearn

from benchmarks.common import markdown, say
from hsiaug.registry.lookup import registry
from hsiaug.sklearn import Augmenter

SAMPLERS = ("SMOTE", "ADASYN", "BorderlineSMOTE", "SVMSMOTE", "RandomOverSampler")
"""Over-samplers of imbalanced-learn that take every data set of the checks."""
LIBRARIES = {"scikit-learn": of_sklearn, "imbalanced-learn": of_imblearn}


def usual_generators() -> list[str]:
    """Generators of single spectra that add samples, and over-samplers of imbalanced-learn."""
    found = registry()
    cards = [found.find("generator", name).load().card for name in found.names("generator")]
    names = [
        card.name for card in cards if "pixels" in card.tasks and card.adds and not card.variant
    ]
    return [*names, *(f"imblearn:{name}" for name in SAMPLERS)]


def outcomes(name: str, library: ModuleType) -> Counter[str]:
    """How the checks of a library end for a generator, those that failed by their name."""
    sampler = Augmenter(name, preset="tiny", device="cpu", random_state=0)
    counts = Counter[str]()
    for estimator, check in library.estimator_checks_generator(sampler):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check(estimator)
            counts["passed"] += 1
        except unittest.SkipTest:
            counts["skipped"] += 1
        except Exception as error:
            counts["failed"] += 1
            say(f"{name}: {getattr(check, 'func', check).__name__}: {error!r}"[:400])
    return counts


def main() -> int:
    """Run the checks and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("generators", nargs="*")
    names = parser.parse_args().generators or usual_generators()
    rows = []
    total = Counter[str]()
    for name in names:
        for library, checks in LIBRARIES.items():
            counts = outcomes(name, checks)
            total += counts
            ends = (str(counts[end]) for end in ("passed", "skipped", "failed"))
            rows.append((name, library, *ends))
    for line in markdown(("generator", "checks of", "passed", "skipped", "failed"), rows):
        say(line)
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
