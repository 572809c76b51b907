"""What is understood of sentences as somebody wrote them, and sentences that a scene shows; needs
no fit.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from hsiaug.api import InputError, PromptReading, TrainView, patches_at
from hsiaug_builtin.text import PATCHES, class_words, patch_sentences, prompts_of
from hsiaug_builtin.text.layout import (
    NEIGHBOURS,
    RELATIONS,
    Mention,
    write_sentence,
)
from hsiaug_builtin.text.sentences import read_sentence
from hsiaug_builtin.txt2hsi.facts import (
    Ids,
    drop_implied,
    facts_of_mentions,
    find_facts,
    withheld_facts,
)
from hsiaug_builtin.txt2hsi.naming import name_pixels
from hsiaug_builtin.txt2hsi.params import Txt2HsiParams

PRINTED = 3
"""Patches of a class whose sentences are printed, at most."""


def read_prompt(
    prompt: str, names: Mapping[int, str], trained: Collection[int], side: int
) -> PromptReading:
    """What is understood of a prompt.

    Parameters
    ----------
    prompt : str
        As typed.
    names : mapping of int to str
        {class id: its name in words}, of all classes of the scene.
    trained : collection of int
        Ids of the classes with training pixels.
    side : int
        Of a patch, in pixels.
    """
    read = read_sentence(prompt, names)
    faults = list(read.faults)
    for noun in dict.fromkeys(mention.noun for mention in read.mentions):
        if noun not in trained:
            faults.append(f"{names[noun]} has no training pixel")
    if not read.mentions:
        return PromptReading("", None, ignored=read.ignored, faults=tuple(faults))
    places = [m for m in read.mentions if m.relation in NEIGHBOURS]
    looks = [m.relation for m in read.mentions[1:] if m.relation not in NEIGHBOURS]
    if side < 3 and places:
        faults.append(f"a patch of {side}×{side} pixels has no sides")
    return PromptReading(
        text=write_sentence(read.mentions, names),
        centre=read.mentions[0].noun,
        places=tuple((m.relation, m.noun) for m in places),
        looks=tuple(looks),
        ignored=read.ignored,
        synonyms=tuple(read.synonyms.items()),
        faults=tuple(faults),
        never_said=bool(withheld_facts(facts_of_mentions([read.mentions])).any()),
    )


def written_facts(view: TrainView, mode: str) -> dict[tuple[int, int], Ids]:
    """What a user's file says of training patches, as facts by the pixel in the centre.

    Sentences on other pixels are left out: their class would be a label that the draw does not
    give.

    Raises
    ------
    InputError
        For a sentence that makes no patch, or names another class than the pixel has.
    """
    names = dict(enumerate(class_words(view.class_names), start=1))
    labels = {(r, c): y for (r, c), y in zip(view.coords.tolist(), view.y.tolist(), strict=True)}
    facts = {}
    for patch in patch_sentences(view, mode):
        at = patch.row, patch.column
        if at not in labels:
            continue
        reading = read_prompt(patch.sentence, names, view.counts, view.patch)
        faults = list(reading.faults)
        if not faults and reading.centre != labels[at]:
            faults.append(f"the pixel in the centre is {names[labels[at]]}")
        if faults:
            raise InputError(
                f"the sentence on row {at[0]}, column {at[1]} must fit its patch, and {faults[0]}",
                value=repr(patch.sentence[:100]),
                hint=f"Write '{names[labels[at]]} with CLASS to the north', or leave it out.",
            )
        facts[at] = facts_of_mentions([read_sentence(patch.sentence, names).mentions])[0]
    return facts


def automatic_sentences(view: TrainView, params: Txt2HsiParams) -> str:
    """What the training pixels of a draw and believed names beside them show: of each class, and
    of some of its patches, as a file that ``text`` reads.
    """
    words = dict(enumerate(class_words(view.class_names), start=1))
    of_classes = prompts_of(view, "auto")
    lines = [
        f"{json.dumps(name, ensure_ascii=False)} = "
        f"{json.dumps(list(of_classes[c]), ensure_ascii=False)}"
        for c, name in enumerate(view.class_names, start=1)
    ]
    pixels = name_pixels(view, params)
    for of_class in pixels.labelled.values():
        at = of_class[:: -(-len(of_class) // PRINTED)]
        regions = patches_at(pixels.map[..., None], at, view.patch)[:, 0]
        for (row, column), facts in zip(
            at.tolist(), drop_implied(find_facts(regions)), strict=True
        ):
            sentence = write_sentence(_mentions(facts), words)
            lines += [
                "",
                f"[[{PATCHES}]]",
                f"row = {row}",
                f"column = {column}",
                f"sentence = {json.dumps(sentence, ensure_ascii=False)}",
            ]
    return "\n".join(lines)


def _mentions(facts: Ids) -> list[Mention]:
    """Facts (R,) as mentions."""
    return [
        Mention(int(noun), relation)
        for relation, noun in zip(RELATIONS, facts.tolist(), strict=True)
        if noun >= 0
    ]
