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
    scene = load_scene(estate(rest=WHEAT))
    assert scene.descriptions == {"wheat": ("the wheat is dense", "the wheat is gold")}
    assert scene.sha256 == load_scene(estate()).sha256
    labels = '[labels]\nfile = "labels.npy"\nnames = ["wheat", "rye", "track"]\nignore = ["wheat"]'
    assert load_scene(estate(labels=labels, rest=WHEAT)).descriptions == {}


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('[descriptions]\nweat = ["x"]', r"found 'weat' \(did you mean wheat\?\)"),
        ('[descriptions]\nwheat = [" "]', r"descriptions\.wheat\[0\]"),
        ("[descriptions]\nwheat = []", r"descriptions\.wheat"),
    ],
)
def test_a_card_with_wrong_descriptions_is_refused(estate, rest, message):
    with pytest.raises(SceneError, match=message):
        load_scene(estate(rest=rest))


@pytest.mark.parametrize("sentences", [(), ("",), ("the meadow is green", " ")])
def test_a_scene_refuses_empty_sentences_and_unknown_classes(sentences):
    with pytest.raises(SceneError, match="none is empty"):
        with_descriptions(Meadow=sentences)
    with pytest.raises(SceneError, match="Did you mean Meadow"):
        with_descriptions(Meadoww=("x",))


def test_the_train_view_has_its_own_unchangeable_copy(described_view):
    assert described_view.descriptions == {"Meadow": ("the meadow is green",)}
    with pytest.raises(TypeError):
        described_view.descriptions["Meadow"] = ()
    assert pickle.loads(pickle.dumps(described_view.descriptions)) == described_view.descriptions


def test_the_public_scenes_are_described():
    assert {*scene_names()} - {*DESCRIBED} == {"toy", "hills"}


@pytest.mark.parametrize("name", DESCRIBED)
def test_sentences_follow_the_grammar(name):
    card = scene_card(name)
    listed = [sentence for sentences in card.descriptions.values() for sentence in sentences]
    assert set(card.descriptions) == set(card.labels.names)
    assert all(len(sentences) >= 2 for sentences in card.descriptions.values())
    assert len(set(listed)) == len(listed)
    verbs = "appears? as|is|are|has|have|grows?|lies|stands?|covers"
    for class_name, sentences in card.descriptions.items():
        word = re.sub(r"[^a-z0-9]+", " ", class_name.lower()).replace("brocoli", "broccoli")
        start = rf"the {word.replace('vinyard', 'vineyard')} ({verbs}) "
        for sentence in sentences:
            assert re.match(start, sentence), sentence
            assert not re.search(r"[^a-z0-9 ]", sentence), sentence
            # "a hyperspectral image of {class}, {sentence}" must stay a short prompt.
            assert len(word.split()) + len(sentence.split()) <= 25, sentence
