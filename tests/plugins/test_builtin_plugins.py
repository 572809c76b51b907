"""The built-in plugins register as third-party ones would, and listing them stays light."""

import subprocess
import sys

import pytest

import hsiaug_builtin.baselines
import hsiaug_builtin.classifiers
import hsiaug_builtin.semisup
from hsiaug.registry.lookup import Found

ENTRIES = [
    *hsiaug_builtin.baselines.hsiaug_plugins(),
    *hsiaug_builtin.classifiers.hsiaug_plugins(),
    *hsiaug_builtin.semisup.hsiaug_plugins(),
]
HEAVY = ("torch", "sklearn", "skimage", "imblearn", "scipy")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_only_controls_come_without_a_paper(entry):
    card = Found(entry, "hsiaug", "0").load().card
    assert bool(card.paper) != card.summary.startswith("Control")


def test_only_what_is_computed_without_torch_stays_on_the_cpu():
    cards = [Found(entry, "hsiaug", "0").load().card for entry in ENTRIES]
    resampling = ["none", "duplicate", "duplicate-balanced", "noise", "mixup", "smote", "imblearn"]
    assert [c.name for c in cards if not c.uses_device] == [
        *resampling,
        "pseudo",
        "fill",
        "forest-flow",
        "svm",
        "rf",
        "hgb",
        "coords",
        "teacher",
        "fused",
        "emp",
        "filtered",
        "superpixel",
        "random-walk",
        "sklearn",
        "self-training",
        "label-spreading",
    ]


def test_listing_plugins_and_reading_their_cards_imports_nothing_heavy():
    modules = {entry.target.partition(":")[0] for entry in ENTRIES}
    code = (
        "import sys, hsiaug.api; core = set(sys.modules)\n"
        f"import {', '.join(sorted(modules))}\n"
        f"print([m for m in {HEAVY} if m in sys.modules and m not in core])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
