"""Every plugin that is installed keeps the contract: new ones come in by being registered."""

from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args, get_type_hints
from unittest import SkipTest

import numpy as np
import pytest

from hsiaug.api import Classifier, MaskClassifier
from hsiaug.registry.card import sampling_params
from hsiaug.registry.lookup import registry
from hsiaug.testing import kit
from hsiaug.testing.generators import GeneratorSubject, sample_arrays
from tests.few_steps import take_few_steps


def test_no_package_is_broken():
    assert registry().broken == ()


LEARNT = {
    "generator": ("scene-units", "labels"),
    "classifier": (
        "learns",
        "batches",
        "probabilities",
        "weights",
        "equal-budget",
        "hard-data",
    ),
}
"""Checks of what is learnt, for which networks are trained. For all others they take two steps."""


def check_plugin(kind, name, patch):
    """The kit of a plugin that has passed every check of it, with short trainings."""
    trained = kit(kind, name)
    apart = LEARNT[kind] if trained.subject.card.uses_device else ()
    for check in apart:
        # By itself, without the trial of another check.
        with suppress(SkipTest):
            trained.checks[check].test(trained.subject)
    take_few_steps(patch)
    checks = kit(kind, name)
    outcomes = [checks.outcome(check) for check in checks.checks if check not in apart]
    failed = [str(outcome) for outcome in outcomes if outcome.status == "failed"]
    assert not failed, "\n".join(failed)
    return checks


# The checks read no measure of samples.
@pytest.mark.usefixtures("few_rounds", "few_prompts")
@pytest.mark.parametrize("name", registry().names("classifier"))
def test_a_classifier_passes_the_conformance_kit(name, monkeypatch):
    check_plugin("classifier", name, monkeypatch)


@pytest.mark.usefixtures("few_rounds", "few_prompts")
@pytest.mark.parametrize("name", registry().names("generator"))
def test_a_generator_passes_the_conformance_kit_and_samples_by_what_only_sampling_reads(
    name, tmp_path, monkeypatch
):
    checks = check_plugin("generator", name, monkeypatch)
    # Of the fit that passed: a second one takes seconds.
    if sampling_params(checks.subject.params):
        check_what_only_sampling_reads(checks.subject, tmp_path)


def check_what_only_sampling_reads(subject: GeneratorSubject, folder: Path) -> None:
    """It changes no fit, and a loaded fit samples by its own."""
    plugin = subject.plugin
    late = sampling_params(subject.params)
    lows = {item.name: item.metadata.get("low") for item in fields(subject.params)}
    values = {name: getattr(subject.params, name) for name in late}
    others = {
        k: not v if isinstance(v, bool) else type(v)(lows[k])
        for k, v in values.items()
        if lows[k] is not None
    }
    other = GeneratorSubject(plugin, "tiny", subject.task)
    other.params = replace(other.params, **others)
    subject.base.save(folder)
    loaded = plugin(other.params).load(folder, device="cpu")

    here, there = other.result(loaded), other.result(other.base)
    assert all(
        np.array_equal(here[part], there[part])
        for part in sample_arrays(subject.draw(subject.base))
    )


@pytest.mark.parametrize("name", registry().names("classifier"))
def test_a_classifier_says_which_contract_it_keeps(name):
    plugin = registry().find("classifier", name).load()
    contract = Classifier if "pixels" in plugin.card.tasks else MaskClassifier
    stated = get_type_hints(plugin.fit)
    samples, view, _ = get_args(contract.__orig_bases__[0])
    assert (stated["samples"], stated["view"]) == (samples, view)
