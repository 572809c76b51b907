"""OpenCLIP towers: token features of a tiny random model, and a clear no where its file is
missing.
"""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug.registry.card import build_params
from hsiaug_builtin.text import checked_encoder, encode
from hsiaug_builtin.txt2hsi.plugin import Txt2Hsi

TEXTS = ("a hyperspectral image of corn notill", "the pond is dark")
NAME = "hsiaug-tiny"
CONFIG = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model with random weights that is known by name."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("openclip")
    (folder / f"{NAME}.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder / f"{NAME}.json")
    torch.manual_seed(0)
    save_file(open_clip.CLIP(**CONFIG).state_dict(), folder / "weights.safetensors")
    return folder / "weights.safetensors"


def test_a_checkpoint_file_gives_features_for_each_token(checkpoint, no_network):
    encoded = encode(TEXTS, f"openclip:{NAME}@{checkpoint}")
    assert encoded.tokens.shape == (2, int(encoded.mask.sum(axis=1).max()), 16)
    assert encoded.tokens.dtype == np.float32
    assert encoded.pooled.shape == (2, 8)
    assert encoded.mask[1].sum() == len(("[BOS]", "the", "pond", "is", "dark", "[EOS]"))
    assert (encoded.tokens[~encoded.mask] == 0).all() and np.abs(encoded.tokens[encoded.mask]).sum(
        axis=1
    ).all()


def test_features_are_those_before_pooling(checkpoint):
    import open_clip
    import torch

    encoded = encode(TEXTS, f"openclip:{NAME}@{checkpoint}")
    net = open_clip.create_model(NAME, pretrained=str(checkpoint)).eval()
    last = encoded.tokens[np.arange(2), encoded.mask.sum(axis=1) - 1]
    pooled = (
        torch.nn.functional.normalize(torch.tensor(last) @ net.text_projection, dim=-1)
        .detach()
        .numpy()
    )
    assert pooled == pytest.approx(encoded.pooled, abs=1e-5)


def test_other_weights_in_a_file_are_other_parameters_and_so_other_trials(checkpoint, tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(checkpoint.read_bytes())
    stated = f"openclip:{NAME}@{path}"

    def encoder() -> str:
        return build_params(Txt2Hsi.card, overrides={"encoder": stated}).encoder

    first = encoder()
    assert re.fullmatch(rf"{re.escape(stated)}#[0-9a-f]{{12}}", first)
    assert checked_encoder(first) == first
    assert np.array_equal(encode(TEXTS, first).tokens, encode(TEXTS, stated).tokens)

    path.write_bytes(path.read_bytes() + b"\0")
    assert encoder() != first
    with pytest.raises(InputError, match=r"must hold the weights of checksum .*write openclip:"):
        encode(("another text",), first)


def test_parameters_name_an_encoder_that_there_is() -> None:
    with pytest.raises(InputError, match="unknown text encoder"):
        build_params(Txt2Hsi.card, overrides={"encoder": "clip"})
    with pytest.raises(DataUnavailableError, match="must be a file"):
        build_params(Txt2Hsi.card, overrides={"encoder": "openclip:ViT-B-32@~nobody-here/x.pt"})


def test_a_file_of_another_model_is_refused(checkpoint):
    with pytest.raises(PluginError, match="belong together"):
        encode(TEXTS, f"openclip:RN50@{checkpoint}")


class Payload:
    """What a hostile checkpoint holds: opened without care, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_checkpoint_that_would_run_code_is_refused_before_it_does(checkpoint, tmp_path):
    import torch

    hostile, made = tmp_path / "weights.pt", tmp_path / "made"
    torch.save({"state_dict": Payload(made)}, hostile)
    with pytest.raises(PluginError, match="must hold the weights"):
        encode(TEXTS, f"openclip:{NAME}@{hostile}")
    assert not made.exists()
    torch.load(hostile, weights_only=False)
    assert made.exists()


def test_texts_beyond_the_context_are_refused_rather_than_cut(checkpoint):
    with pytest.raises(InputError, match="up to 24 tokens"):
        encode(["corn " * 40], f"openclip:{NAME}@{checkpoint}")


@pytest.mark.parametrize(
    ("spec", "kind", "message"),
    [
        ("ViT-B-32/openai", InputError, "MODEL@FILE"),
        ("./nowhere", InputError, "MODEL@FILE"),
        ("ViT-B-32", DataUnavailableError, "hf download"),
        ("ViT-B-32@nowhere.pt", DataUnavailableError, "must be a file"),
        ("ViT-B-32@~nobody-of-this-name/w.pt", DataUnavailableError, "must be a file"),
        ("ViT-B-16-SigLIP@nowhere.pt", PluginError, "own tokenizer"),
        ("coca_ViT-B-32@nowhere.pt", PluginError, "multimodal"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(spec, kind, message, no_network):
    with pytest.raises(kind, match=message):
        encode(TEXTS, f"openclip:{spec}")


def test_tokens_know_the_word_that_they_are_a_piece_of(checkpoint):
    encoded = encode(("corn notill, beside trees",), f"openclip:{NAME}@{checkpoint}")
    assert encoded.words == (("corn", "notill", ",", "beside", "trees"),)
    pieces = encoded.word[0].tolist()
    assert pieces[0] == pieces[-1] == -1 and pieces[1:-1] == sorted(pieces[1:-1])
    assert (
        set(pieces[1:-1]) == {0, 1, 2, 3, 4} and pieces.count(1) > 1
    )  # "notill" has several pieces
