"""The grammar of prompts: number, coarse, fine, both, auto."""

import pytest

from hsiaug_builtin.text import class_words, prompts_of

MEADOW = ("the meadow has a smooth even surface", "the meadow is green")


def test_coarse_names_the_class(view_of):
    assert prompts_of(view_of(), "coarse")[2] == ("a hyperspectral image of maize",)


def test_fine_is_the_sentences_of_the_scene(view_of):
    assert prompts_of(view_of(descriptions={"Meadow": MEADOW}), "fine")[1] == MEADOW


def test_both_joins_the_coarse_prompt_with_each_sentence(view_of):
    prompts = prompts_of(view_of(descriptions={"Meadow": MEADOW}), "both")
    assert prompts[1] == tuple(
        f"a hyperspectral image of meadow, {sentence}" for sentence in MEADOW
    )


def test_number_is_the_class_id(view_of):
    assert prompts_of(view_of(), "number") == {c: (f"{c}",) for c in range(1, 6)}


def test_every_class_has_prompts_and_no_two_classes_share_one(view_of):
    for mode in ("number", "coarse", "fine", "both", "auto"):
        prompts = prompts_of(view_of(), mode)
        listed = [prompt for own in prompts.values() for prompt in own]
        assert list(prompts) == [1, 2, 3, 4, 5] and len(set(listed)) == len(listed)


def test_a_class_that_the_card_does_not_describe_has_its_coarse_prompt(view_of):
    view = view_of(descriptions={"Meadow": MEADOW})
    for mode in ("fine", "both"):
        assert prompts_of(view, mode)[2] == prompts_of(view, "coarse")[2]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Corn-notill", "corn notill"),
        ("Brocoli_green_weeds_1", "broccoli green weeds 1"),
        ("Soil_vinyard_develop", "soil vineyard develop"),
        ("Cabbage palm/oak hammock", "cabbage palm oak hammock"),
        ("Größe (m²)", "größe m²"),
    ],
)
def test_class_names_become_words(name, words):
    assert class_words([name, "Other"])[0] == words


def test_names_that_become_equal_stay_apart():
    assert class_words(["Corn", "corn!", "??"]) == ("corn 1", "corn 2", " 3")
