"""Descriptions travel with the scene: from its card to the train view, and checked on the way."""

import dataclasses
import pickle
import re

import pytest

from hsiaug.base.errors import SceneError
from hsiaug.data import load_scene, scene_card, scene_names, toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view

DESCRIBED = tuple(name for name in scene_names() if scene_card(name).descriptions)
WHEAT = '[descriptions]\nwheat = ["the wheat is dense", "the wheat is gold"]\n'


def with_descriptions(**sentences):
    return dataclasses.replace(toy_scene(), descriptions=sentences)


@pytest.fixture
def described_view():
    scene = with_descriptions(Meadow=("the meadow is green",))
    return train_view(scene, draw_split(scene, parse_protocol("issd"), 0, 5), "none")


def test_a_card_gives_the_scene_its_descriptions(estate):
    assert load_scene(estate(rest=WHEAT)).descriptions == {
        "wheat": ("the wheat is dense", "the wheat is gold")
    }


def test_they_are_no_part_of_the_checksum(estate):
    assert load_scene(estate(rest=WHEAT)).sha256 == load_scene(estate()).sha256


def test_descriptions_of_ignored_classes_are_left_out(estate):
    labels = '[labels]\nfile = "labels.npy"\nnames = ["wheat", "rye", "track"]\nignore = ["wheat"]'
    assert load_scene(estate(labels=labels, rest=WHEAT)).descriptions == {}


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('[descriptions]\nweat = ["x"]', r"found 'weat' \(did you mean wheat\?\)"),
        ('[descriptions]\nwheat = [" "]', r"descriptions\.wheat\[0\]"),
        ("[descriptions]\nwheat = []", r"descriptions\.wheat"),
        ('[descriptions]\nwheat = "one"', r"descriptions\.wheat"),
        ("[descriptions]\nwheat = [1]", r"descriptions\.wheat"),
    ],
)
def test_a_card_with_wrong_descriptions_is_refused(estate, rest, message):
    with pytest.raises(SceneError, match=message):
        load_scene(estate(rest=rest))


def test_a_scene_refuses_an_unknown_class_with_a_hint():
    with pytest.raises(SceneError, match="Did you mean Meadow"):
        with_descriptions(Meadoww=("x",))


@pytest.mark.parametrize("sentences", [(), ("",), ("the meadow is green", " ")])
def test_a_scene_refuses_empty_sentences(sentences):
    with pytest.raises(SceneError, match="none is empty"):
        with_descriptions(Meadow=sentences)


def test_the_train_view_has_its_own_unchangeable_copy(described_view):
    assert described_view.descriptions == {"Meadow": ("the meadow is green",)}
    with pytest.raises(TypeError):
        described_view.descriptions["Meadow"] = ()
    assert pickle.loads(pickle.dumps(described_view.descriptions)) == described_view.descriptions


def test_the_public_scenes_are_described():
    assert {*scene_names()} - {*DESCRIBED} == {"toy", "hills"}


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_class_has_sentences_of_its_own(name):
    card = scene_card(name)
    listed = [sentence for sentences in card.descriptions.values() for sentence in sentences]
    assert set(card.descriptions) == set(card.labels.names)
    assert all(len(sentences) >= 2 for sentences in card.descriptions.values())
    assert len(set(listed)) == len(listed)
    assert "this project's own sentences" in card.notes


@pytest.mark.parametrize("name", DESCRIBED)
def test_sentences_follow_the_grammar(name):
    verbs = "appears? as|is|are|has|have|grows?|lies|stands?|covers"
    for class_name, sentences in scene_card(name).descriptions.items():
        word = re.sub(r"[^a-z0-9]+", " ", class_name.lower()).replace("brocoli", "broccoli")
        start = rf"the {word.replace('vinyard', 'vineyard')} ({verbs}) "
        for sentence in sentences:
            assert re.match(start, sentence), sentence
            assert not re.search(r"[^a-z0-9 ]", sentence), sentence
            # "a hyperspectral image of {class}, {sentence}" must stay a short prompt.
            assert len(word.split()) + len(sentence.split()) <= 25, sentence


@pytest.mark.parametrize("name", DESCRIBED)
def test_sentences_differ_also_without_the_name(name):
    bare = []
    for class_name, sentences in scene_card(name).descriptions.items():
        count = len(re.findall(r"[a-z0-9]+", class_name.lower())) + 1
        bare += [" ".join(sentence.split()[count:]) for sentence in sentences]
    assert len(set(bare)) == len(bare)
