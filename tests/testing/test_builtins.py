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


# The checks read no measure of samples.
@pytest.mark.usefixtures("few_rounds", "few_prompts")
@pytest.mark.parametrize("name", registry().names("classifier"))
def test_a_classifier_passes_the_conformance_kit(name):
    kit("classifier", name).report()


OF_WHAT_IS_LEARNT = ("scene-units", "labels")
"""Checks of a generator for which the networks that prepare a scene are trained, which takes most
of its time. For all others they take two steps.
"""


@pytest.mark.usefixtures("few_rounds", "few_prompts")
@pytest.mark.parametrize("name", registry().names("generator"))
def test_a_generator_passes_the_conformance_kit_and_samples_by_what_only_sampling_reads(
    name, tmp_path, monkeypatch
):
    trained = kit("generator", name)
    card = trained.subject.card
    # Of masks that nobody trained for, samples are dear: they have hundreds of segments.
    quick = card.uses_device and card.prepares and "pixels" in card.tasks
    apart = OF_WHAT_IS_LEARNT if quick else ()
    for check in apart:
        # By itself, without the trial that it would wait for.
        with suppress(SkipTest):
            trained.checks[check].test(trained.subject)
    if apart:
        take_few_steps(monkeypatch)
    checks = kit("generator", name)
    outcomes = [checks.outcome(check) for check in checks.checks if check not in apart]
    failed = [str(outcome) for outcome in outcomes if outcome.status == "failed"]
    assert not failed, "\n".join(failed)
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
