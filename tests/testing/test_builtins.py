"""Every plugin that is installed keeps the contract: new ones come in by being registered."""

from dataclasses import fields, replace
from typing import get_args, get_type_hints

import numpy as np
import pytest

from hsiaug.api import Classifier, MaskClassifier
from hsiaug.registry.card import sampling_params
from hsiaug.registry.lookup import registry
from hsiaug.testing import check_classifier, check_generator
from hsiaug.testing.generators import GeneratorSubject, sample_arrays

CHECK = {"generator": check_generator, "classifier": check_classifier}
INSTALLED = [(kind, name) for kind in CHECK for name in registry().names(kind)]


def test_no_package_is_broken():
    assert registry().broken == ()


# The checks read no measure of samples.
@pytest.mark.usefixtures("few_rounds", "few_prompts")
@pytest.mark.parametrize(("kind", "name"), INSTALLED, ids=lambda value: value)
def test_it_passes_the_conformance_kit(kind, name):
    CHECK[kind](name)


@pytest.mark.parametrize("name", registry().names("generator"))
def test_what_only_sampling_reads_changes_no_fit_and_a_loaded_one_samples_by_its_own(
    name, tmp_path
):
    plugin = registry().find("generator", name).load()
    subject = GeneratorSubject(plugin, "tiny", plugin.card.tasks[0])
    late = sampling_params(subject.params)
    if not late:
        pytest.skip("it declares none")
    lows = {item.name: item.metadata.get("low") for item in fields(subject.params)}
    values = {name: getattr(subject.params, name) for name in late}
    others = {
        k: not v if isinstance(v, bool) else type(v)(lows[k])
        for k, v in values.items()
        if lows[k] is not None
    }
    other = GeneratorSubject(plugin, "tiny", plugin.card.tasks[0])
    other.params = replace(other.params, **others)
    subject.base.save(tmp_path)
    loaded = plugin(other.params).load(tmp_path, device="cpu")

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
