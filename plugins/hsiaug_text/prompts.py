"""Class names and descriptions to prompts.

The grammar: coarse = "a hyperspectral image of {class}", the template of LDGnet (Zhang et al., Language-aware
Domain Generalization Network, IEEE TGRS 2023); fine = a sentence about the class; both = coarse ", " fine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hsiaug.api import InputError, TrainView, did_you_mean

__all__ = ["MODES", "Fine", "class_prompts", "class_words", "fine_sentences", "humanise"]

MODES = ("coarse", "fine", "both", "class-id")

SPELLING = {"brocoli": "broccoli", "vinyard": "vineyard"}
"""Misspellings that public scenes carry in their class names."""


@dataclass(frozen=True)
class Fine:
    """The sentences of one class, and who wrote them: the scene's card, hsiaug_text.automatic, or an endpoint."""

    sentences: tuple[str, ...]
    source: Literal["card", "automatic", "endpoint"]


def class_prompts(view: TrainView, mode: str = "both") -> dict[int, tuple[str, ...]]:
    """The prompts of every class id 1..C; those of a class are alternatives to draw from.

    mode: coarse (one prompt), fine or both (one for each sentence), class-id (the single word "class7": the
    ablation of text). A class that the scene does not describe gets automatic sentences, see
    :func:`fine_sentences`.

    Raises InputError for an unknown mode, and what the endpoint raises where one is configured.
    """
    if mode not in MODES:
        raise InputError(
            "the text of prompts is coarse, fine, both or class-id",
            value=repr(mode),
            hint=did_you_mean(mode, MODES),
        )
    words = class_words(view.class_names)
    if mode == "class-id":
        return {c: (f"class{c}",) for c in range(1, len(words) + 1)}
    coarse = {c: f"a hyperspectral image of {word}" for c, word in enumerate(words, start=1)}
    if mode == "coarse":
        return {c: (prompt,) for c, prompt in coarse.items()}
    fine = {c: entry.sentences for c, entry in fine_sentences(view).items()}
    if mode == "fine":
        return fine
    return {c: tuple(f"{coarse[c]}, {sentence}" for sentence in fine[c]) for c in coarse}


def fine_sentences(view: TrainView) -> dict[int, Fine]:
    """The sentences of every class id 1..C, with their source.

    The scene's own descriptions come first. For classes without any, sentences are made of what the training
    pixels show: by rule, or by the endpoint where one is configured (never by rule because an endpoint failed).
    """
    from hsiaug_text.automatic import automatic_sentences
    from hsiaug_text.endpoint import configured, endpoint_sentences
    from hsiaug_text.facts import class_facts

    made: dict[int, Fine] = {
        c: Fine(tuple(view.descriptions[name]), "card")
        for c, name in enumerate(view.class_names, start=1)
        if name in view.descriptions
    }
    if len(made) < len(view.class_names):
        facts = class_facts(view, class_words(view.class_names))
        endpoint = configured()
        written = endpoint_sentences(facts, endpoint) if endpoint else automatic_sentences(facts)
        source: Literal["automatic", "endpoint"] = "endpoint" if endpoint else "automatic"
        made.update({c: Fine(written[c], source) for c in written if c not in made})
    return dict(sorted(made.items()))


def class_words(names: Sequence[str]) -> tuple[str, ...]:
    """Class names as words of a sentence, all different: names that become equal get their class id appended."""
    words = [humanise(name) for name in names]
    return tuple(
        f"{word} {c}" if words.count(word) > 1 or not word else word for c, word in enumerate(words, start=1)
    )


def humanise(name: str) -> str:
    """A class name in lower case without punctuation: "Corn-notill" → "corn notill"."""
    return " ".join(SPELLING.get(word, word) for word in re.findall(r"[^\W_]+", name.lower()))
