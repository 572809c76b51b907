"""Texts that are typed for samples: whose class they are of, and what is made of them."""

from typing import Any

import pytest

from hsiaug.base.errors import InputError
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.pixel_samples import prompts_by_class
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry

NAMES = ("Corn", "Corn-notill", "Woods", "Wheat")


def test_a_prompt_is_of_the_class_that_it_names_first() -> None:
    prompts = ("wheat beside woods", "bright woods beside wheat", "rows of corn notill", "Wheat!")
    assert prompts_by_class(prompts, NAMES, (1, 2, 3, 4)) == {
        4: ("wheat beside woods", "Wheat!"),
        3: ("bright woods beside wheat",),
        2: ("rows of corn notill",),
    }


@pytest.mark.parametrize("prompt", ["a green field", "oats", "buckwheat", "wheat"])
def test_a_prompt_must_name_a_class_that_is_trained(prompt: str) -> None:
    with pytest.raises(InputError, match=r"must name a class .*Corn-notill, Woods"):
        prompts_by_class([prompt], NAMES, (2, 3))


def samples_of(scene: Scene, generator: str, **changes: Any) -> Any:
    request = SampleRequest(
        generator, parse_protocol("issd"), patch=5, device="cpu", preset="tiny", **changes
    )
    return synthesise(sample_kit("pixels"), scene, request, registry())


def test_samples_are_of_the_classes_of_the_prompts_alone(toy: Scene) -> None:
    text = f"bright {toy.class_names[1].lower()} in the north"
    made = samples_of(toy, "txt2hsi", times=2.0, prompts=(text,))

    assert set(made.synthetic.y.tolist()) == {2}
    assert made.provenance()["prompts"] == [text]


def test_a_generator_without_texts_takes_no_prompt(toy: Scene) -> None:
    text = toy.class_names[0]
    with pytest.raises(InputError, match=r"`prompt` is for generators that read text.*'smote'"):
        samples_of(toy, "smote", prompts=(text,))
    with pytest.raises(InputError, match="reads typed prompts where its prompts have words"):
        samples_of(toy, "txt2hsi", overrides={"text": "number"}, prompts=(text,))
