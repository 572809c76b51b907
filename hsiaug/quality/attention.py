"""Cross-attention of a fitted generator, scored against the regions of the classes in a scene."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import Attention
from hsiaug.core.samples import NOWHERE, PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.metrics.attention import MapScore, mean_scores, score_map
from hsiaug.protocol.view import patches_at
from hsiaug.quality.synthesis import PixelSynthesis

__all__ = ["AttentionReport", "Example", "attention_report", "class_map"]

MOST = 120
"""Patches that are scored at most, round training and round held-out pixels each."""

EXAMPLES = 6


@dataclass(frozen=True, eq=False)
class Example:
    """One patch to show. x: (B, p, p) float32; labels: (p, p) int16; maps: (L, p, p) float32."""

    x: NDArray[np.float32]
    labels: NDArray[np.int16]
    class_id: int
    words: tuple[str, ...]
    maps: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AttentionReport:
    """Scores by "train" and "held-out": class_words: the words of the class's name, their maps added up.

    shuffled: the floor, each patch scored with the map of another patch: what looking at the centre is worth.
    words: every word by itself. examples: patches round held-out pixels, to show.
    """

    class_words: Mapping[str, MapScore | None]
    shuffled: Mapping[str, MapScore | None]
    words: Mapping[str, Mapping[str, MapScore]]
    examples: tuple[Example, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "class_words": {side: score and asdict(score) for side, score in self.class_words.items()},
            "shuffled": {side: score and asdict(score) for side, score in self.shuffled.items()},
            "words": {side: {word: asdict(s) for word, s in row.items()} for side, row in self.words.items()},
        }


def attention_report(synthesis: PixelSynthesis, seed: int = 0) -> AttentionReport | None:
    """Maps of real patches that show more than one class, round training and round held-out pixels.

    None for a generator without ``attention``. The plugin is shown patches of test pixels and their class ids: it
    was fitted before, and what it answers goes into this report and nowhere else. Labels of all pixels of a patch
    are compared; unlabelled pixels count neither inside nor outside.
    Raises PluginError where the answer breaks the contract of :class:`hsiaug.api.Attention`.
    """
    ask = getattr(synthesis.fitted, "attention", None)
    if ask is None:
        return None
    split, scene = synthesis.split, synthesis.data
    class_words: dict[str, MapScore | None] = {}
    shuffled: dict[str, MapScore | None] = {}
    words: dict[str, dict[str, MapScore]] = {}
    examples: list[Example] = []
    for side, mask in (("train", split.train), ("held-out", split.test)):
        patches, labels = _patches(scene, mask, split.patch, derive_seed("attention", side, seed))
        if not len(patches):
            class_words[side] = shuffled[side] = None
            words[side] = {}
            continue
        answer: Attention = ask(patches)
        check_attention(answer, patches)
        class_words[side], shuffled[side] = _class_scores(answer, patches.y, labels, scene.class_names)
        words[side] = _word_scores(answer, patches.y, labels)
        if side == "held-out":
            examples = _examples(answer, patches, labels)
    return AttentionReport(class_words, shuffled, words, tuple(examples))


def class_map(words: Sequence[str], maps: NDArray[np.float32], name: str) -> NDArray[np.float32] | None:
    """(p, p) sum of the maps (L, p, p) of the words of a class's name; None where the prompt has none of them."""
    own = set(_tokens(name))
    hits = [i for i, word in enumerate(words) if own & set(_tokens(word))]
    return maps[hits].sum(axis=0) if hits else None


def _tokens(text: str) -> list[str]:
    """Lower-case words, a plural s apart: "Trees" in a class's name is "tree" in a sentence."""
    return [re.sub(r"(?<=\w{3})s$", "", token) for token in re.findall(r"[a-z0-9]+", text.lower())]


def _patches(
    scene: Scene, mask: NDArray[np.bool_], patch: int, seed: int
) -> tuple[PatchSamples, NDArray[np.int16]]:
    """Patches that show a second class, some of every class, and the labels (n, p, p) in them."""
    coords = np.argwhere(mask)
    labels = patches_at(scene.labels[..., None], coords, patch)[:, 0]
    y = scene.labels[mask].astype(np.int64)
    mixed = np.flatnonzero(((labels > 0) & (labels != y[:, None, None])).any(axis=(1, 2)))
    order = np.random.default_rng(seed).permutation(mixed)
    # By turns through the classes: the k-th patch of every class comes before the k + 1st of any.
    turn = np.empty(len(order), dtype=np.int64)
    for c in np.unique(y[order]):
        own = y[order] == c
        turn[own] = np.arange(own.sum())
    chosen = order[np.lexsort((y[order], turn))][:MOST]
    x = patches_at(scene.cube, coords[chosen], patch)
    n = len(chosen)
    samples = PatchSamples(
        x=x,
        coords=np.full((n, 2), NOWHERE, dtype=np.int32),
        y=y[chosen],
        synthetic=np.zeros(n, dtype=bool),
        weight=np.ones(n, dtype=np.float32),
    )
    return samples, labels[chosen].astype(np.int16)


def check_attention(answer: Attention, patches: PatchSamples) -> None:
    """Raise PluginError unless there is one finite map per word and patch, summing to 1 over the words."""
    side = patches.x.shape[2]
    sizes = [(len(words), side, side) for words in answer.words]
    fine = len(answer.words) == len(answer.maps) == len(patches) and all(
        maps.shape == size and size[0] > 0 and bool(np.allclose(maps.sum(axis=0), 1, atol=1e-3))
        for maps, size in zip(answer.maps, sizes, strict=True)
    )
    if not fine:
        raise PluginError(
            f"attention must give words and maps (words, {side}, {side}) for each of {len(patches)} patches, "
            "finite, and summing to 1 over the words",
            value=f"{len(answer.words)} prompts, {len(answer.maps)} sets of maps",
            hint="Average the softmax over heads and layers, and resample it to the patch.",
        )


def _class_scores(
    answer: Attention, y: NDArray[np.int64], labels: NDArray[np.int16], names: Sequence[str]
) -> tuple[MapScore | None, MapScore | None]:
    """The class words' maps on their own patches, and each on the next patch (the floor)."""
    maps = [class_map(w, m, names[c - 1]) for w, m, c in zip(answer.words, answer.maps, y, strict=True)]
    kept = [i for i, values in enumerate(maps) if values is not None]
    own: list[MapScore | None] = []
    other: list[MapScore | None] = []
    for place, i in enumerate(kept):
        for scores, j in ((own, i), (other, kept[place - 1])):
            values = maps[j]
            if values is not None and (scores is own or i != j):
                scores.append(score_map(values, labels[i] == y[i], labels[i] > 0))
    return mean_scores(own), mean_scores(other)


def _word_scores(answer: Attention, y: NDArray[np.int64], labels: NDArray[np.int16]) -> dict[str, MapScore]:
    """Every word's own scores, over the patches whose prompt has it, most frequent words first."""
    scores_of: dict[str, list[MapScore | None]] = {}
    for i, (words, maps) in enumerate(zip(answer.words, answer.maps, strict=True)):
        for word, values in zip(words, maps, strict=True):
            scores_of.setdefault(word, []).append(score_map(values, labels[i] == y[i], labels[i] > 0))
    means = {word: mean_scores(scores) for word, scores in scores_of.items()}
    rows = [(word, score) for word, score in means.items() if score is not None]
    return dict(sorted(rows, key=lambda row: (-row[1].n, row[0])))


def _examples(answer: Attention, patches: PatchSamples, labels: NDArray[np.int16]) -> list[Example]:
    """The patches that show most of a second class, each of another class as far as there are."""
    share = np.abs((labels == patches.y[:, None, None]).mean(axis=(1, 2)) - 0.5) + (labels == 0).mean(axis=(1, 2))
    best = np.argsort(share, kind="stable")
    _, first = np.unique(patches.y[best], return_index=True)
    chosen = [best[i] for i in sorted(first)][:EXAMPLES]
    return [Example(patches.x[i], labels[i], int(patches.y[i]), answer.words[i], answer.maps[i]) for i in chosen]
