"""Class names and descriptions to prompts.

The grammar: coarse = "a hyperspectral image of {class}", the template of LDGnet (Zhang et al., Language-aware
Domain Generalization Network, IEEE TGRS 2023); fine = a sentence of the scene's card; both = coarse ", " fine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hsiaug.api import TrainView

MODES = ("coarse", "fine", "both", "class-id")

SPELLING = {"brocoli": "broccoli", "vinyard": "vineyard"}
"""Misspellings that public scenes carry in their class names."""


def class_prompts(view: TrainView, mode: str = "both") -> dict[int, tuple[str, ...]]:
    """The prompts of every class id 1..C; those of a class are alternatives to draw from.

    mode: coarse (one prompt), fine or both (one for each sentence of the scene's card), class-id (the single word
    "class7": the ablation of text). A class that the card does not describe has its coarse prompt.
    """
    words = class_words(view.class_names)
    if mode == "class-id":
        return {c: (f"class{c}",) for c in range(1, len(words) + 1)}
    prompts = {}
    for c, (name, word) in enumerate(zip(view.class_names, words, strict=True), start=1):
        coarse = f"a hyperspectral image of {word}"
        sentences = () if mode == "coarse" else tuple(view.descriptions.get(name, ()))
        if mode == "both":
            sentences = tuple(f"{coarse}, {sentence}" for sentence in sentences)
        prompts[c] = sentences or (coarse,)
    return prompts


def class_words(names: Sequence[str]) -> tuple[str, ...]:
    """Class names as words of a sentence, all different: names that become equal get their class id appended."""
    words = [humanise(name) for name in names]
    return tuple(
        f"{word} {c}" if words.count(word) > 1 or not word else word for c, word in enumerate(words, start=1)
    )


def humanise(name: str) -> str:
    """A class name in lower case without punctuation: "Corn-notill" → "corn notill"."""
    return " ".join(SPELLING.get(word, word) for word in re.findall(r"[^\W_]+", name.lower()))
