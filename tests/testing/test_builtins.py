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
from hsiaug.testing import CHECKS, check_plugin, subject_of
from hsiaug.testing.checks import run_checks
from hsiaug.testing.generator_checks import GeneratorSubject
from tests.few_steps import take_few_steps

OF_WHAT_IS_LEARNT = {
    "generator": ("scene-units", "labels", "hash-seed"),
    "classifier": ("learns", "weights", "hard-data", "hash-seed"),
}
"""Checks for which networks are trained, which takes most of their time. For all others they take
two steps; the process with other hashes takes all.
"""

# The checks read no measure of samples.
pytestmark = pytest.mark.usefixtures("few_rounds", "few_prompts")


def test_no_package_is_broken():
    assert registry().broken == ()


@pytest.mark.parametrize("name", registry().names("classifier"))
def test_a_classifier_passes_the_conformance_kit(name, monkeypatch):
    if not registry().find("classifier", name).card.uses_device:
        check_plugin("classifier", name)
        return
    check_network("classifier", name, monkeypatch)


@pytest.mark.parametrize("name", registry().names("generator"))
def test_a_generator_passes_the_conformance_kit_and_samples_by_what_only_sampling_reads(
    name, tmp_path, monkeypatch
):
    card = registry().find("generator", name).card
    # Of masks that nobody trained for, samples are dear: they have hundreds of segments.
    if card.uses_device and "pixels" in card.tasks:
        subject = check_network("generator", name, monkeypatch)
    else:
        subject = subject_of("generator", name)
        failed = [o for o in run_checks(CHECKS["generator"], subject) if o.status == "failed"]
        assert not failed, "\n".join(map(str, failed))
    # Of the fit that passed: a second one takes seconds.
    if sampling_params(subject.params):
        check_what_only_sampling_reads(subject, tmp_path)


def check_network(kind, name, monkeypatch):
    """The checks of what is learnt, and all others with two steps of training."""
    trained = subject_of(kind, name)
    for check in CHECKS[kind]:
        if check.name in OF_WHAT_IS_LEARNT[kind]:
            with suppress(SkipTest):
                check.test(trained)
    take_few_steps(monkeypatch)
    others = [check for check in CHECKS[kind] if check.name not in OF_WHAT_IS_LEARNT[kind]]
    subject = subject_of(kind, name)
    failed = [outcome for outcome in run_checks(others, subject) if outcome.status == "failed"]
    assert not failed, "\n".join(map(str, failed))
    return subject


def check_what_only_sampling_reads(subject: GeneratorSubject, folder: Path) -> None:
    """It changes no fit, and a loaded fit samples by its own."""
    late = sampling_params(subject.params)
    lows = {item.name: item.metadata.get("low") for item in fields(subject.params)}
    values = {name: getattr(subject.params, name) for name in late}
    others = {
        k: not v if isinstance(v, bool) else type(v)(lows[k])
        for k, v in values.items()
        if lows[k] is not None
    }
    other = GeneratorSubject(subject.plugin, replace(subject.params, **others), subject.case)
    subject.fitted.save(folder)
    loaded = subject.plugin(other.params).load(folder, device="cpu")

    here, there = other.result_of(loaded), other.result
    assert all(np.array_equal(here[part], there[part]) for part in here)


@pytest.mark.parametrize("name", registry().names("classifier"))
def test_a_classifier_says_which_contract_it_keeps(name):
    plugin = registry().find("classifier", name).load()
    contract = Classifier if "pixels" in plugin.card.tasks else MaskClassifier
    stated = get_type_hints(plugin.fit)
    samples, view, _ = get_args(contract.__orig_bases__[0])
    assert (stated["samples"], stated["view"]) == (samples, view)
