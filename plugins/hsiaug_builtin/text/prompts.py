"""Class names, descriptions and surroundings to prompts.

The grammar: coarse = "a hyperspectral image of {class}", the template of LDGnet (Zhang et al.,
Language-aware Domain Generalization Network, IEEE TGRS 2023); fine = a sentence of the scene's
card; both = coarse ", " fine; auto = "a hyperspectral image of " and a phrase of
:mod:`hsiaug_builtin.text.surroundings`; number = the class id; file:PROMPTS.toml = the sentences of
a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hsiaug.api import InputError, TrainView, did_you_mean
from hsiaug_builtin.text.prompt_files import (
    PREFIX,
    sentences_of_file,
    with_checksum,
)
from hsiaug_builtin.text.surroundings import phrases_of

MODES = ("number", "coarse", "fine", "both", "auto")

START = "a hyperspectral image of"

SPELLING = {"brocoli": "broccoli", "vinyard": "vineyard"}
"""Misspellings that public scenes carry in their class names."""


def checked_mode(mode: str) -> str:
    """A mode of prompts; one that names a file with the checksum of its sentences.

    Raises
    ------
    InputError
        For an unknown mode, or a file that cannot be read.
    """
    if mode.startswith(PREFIX):
        return with_checksum(mode)
    if mode not in MODES:
        rule = f"`text` must be one of {', '.join(MODES)}, or {PREFIX}PROMPTS.toml"
        raise InputError(rule, value=repr(mode), hint=did_you_mean(mode, MODES))
    return mode


def prompts_of(view: TrainView, mode: str = "both") -> dict[int, tuple[str, ...]]:
    """The prompts of every class id 1..C; those of a class are alternatives.

    Parameters
    ----------
    mode : str
        Coarse (one prompt), fine or both (one for each sentence of the scene's card), auto
        (several, from what the view shows round the training pixels), number (the class id, to be
        encoded as ``one-hot``: the ablation of text), or file:PROMPTS.toml (the sentences of a
        file). A class that the card or the file does not describe has its coarse prompt, as one
        without training pixels has in auto.

    Raises
    ------
    InputError
        As :func:`checked_mode`, and for a class in a file that the view does not have.
    """
    words = class_words(view.class_names)
    if mode == "number":
        return {c: (str(c),) for c in range(1, len(words) + 1)}
    phrases = phrases_of(view, words) if mode == "auto" else {}
    of_file = sentences_of_file(mode, view.class_names) if mode.startswith(PREFIX) else {}
    prompts = {}
    for c, (name, word) in enumerate(zip(view.class_names, words, strict=True), start=1):
        coarse = f"{START} {word}"
        sentences = tuple(view.descriptions.get(name, ())) if mode in ("fine", "both") else ()
        if mode == "both":
            sentences = tuple(f"{coarse}, {sentence}" for sentence in sentences)
        elif mode == "auto":
            sentences = tuple(f"{START} {phrase}" for phrase in phrases.get(c, ()))
        elif of_file:
            sentences = of_file.get(name, ())
        prompts[c] = sentences or (coarse,)
    return prompts


def class_words(names: Sequence[str]) -> tuple[str, ...]:
    """Class names as words of a sentence, all different: names that become equal get their class id
    appended.
    """
    words = [humanise(name) for name in names]
    return tuple(
        f"{word} {c}" if words.count(word) > 1 or not word else word
        for c, word in enumerate(words, start=1)
    )


def humanise(name: str) -> str:
    """A class name in lower case without punctuation: "Corn-notill" → "corn notill"."""
    return " ".join(SPELLING.get(word, word) for word in re.findall(r"[^\W_]+", name.lower()))
