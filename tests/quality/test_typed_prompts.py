"""Texts that are typed for samples: whose class they are of, and what is made of them."""

from typing import Any

import pytest

from hsiaug.base.errors import InputError
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry


def samples_of(scene: Scene, generator: str, **changes: Any) -> Any:
    request = SampleRequest(
        generator, parse_protocol("issd"), patch=5, device="cpu", preset="tiny", **changes
    )
    return synthesise(sample_kit("pixels"), scene, request, registry())


def test_samples_are_of_the_classes_of_the_prompts_alone(toy: Scene) -> None:
    text = f"bright {toy.class_names[1].lower()} with {toy.class_names[0].lower()} in the north"
    made = samples_of(toy, "txt2hsi", times=2.0, prompts=(text,))

    assert set(made.synthetic.y.tolist()) == {2}
    assert made.provenance()["prompts"] == [text]


def test_a_generator_without_texts_takes_no_prompt(toy: Scene) -> None:
    text = toy.class_names[0]
    with pytest.raises(InputError, match=r"`prompt` is for generators that read text.*'smote'"):
        samples_of(toy, "smote", prompts=(text,))


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("a green field", "“green” is not understood"),
        ("{0} and {1}", "it does not say which of these is in the centre"),
        ("{0} with {1} to the north and {2} to the north", "two classes lie to the north"),
        ("bright dark {0}", "cannot be bright and dark"),
        (
            "{1} to the north and {2} to the south",
            "it does not say which of these is in the centre",
        ),
        ("пшеница", "“пшеница” is not understood"),
    ],
)
def test_a_prompt_that_makes_no_patch_is_refused_before_anything_is_learnt(
    toy: Scene, prompt: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsiaug.quality.pixel_samples.fit_once", None)
    text = prompt.format(*toy.class_names)
    with pytest.raises(InputError, match=f"must say what a patch shows, and .*{fault}"):
        samples_of(toy, "txt2hsi", times=2.0, prompts=(text,))


def test_a_prompt_of_too_many_words_is_refused(toy: Scene) -> None:
    with pytest.raises(InputError, match="takes up to 512 tokens"):
        samples_of(toy, "txt2hsi", times=2.0, prompts=("word " * 1000,))
