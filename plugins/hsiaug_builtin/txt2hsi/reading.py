"""What is understood of sentences as somebody wrote them, and sentences that a scene shows; needs
no fit.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from hsiaug.api import PromptReading, TrainView
from hsiaug_builtin.text import prompts_of
from hsiaug_builtin.text.layout import (
    NEIGHBOURS,
    write_sentence,
)
from hsiaug_builtin.text.sentences import read_sentence
from hsiaug_builtin.txt2hsi.facts import (
    facts_of_mentions,
    withheld_facts,
)

PRINTED = 3
"""Patches of a class whose sentences are printed, at most."""


def read_prompt(
    prompt: str,
    names: Mapping[int, str],
    trained: Collection[int],
    side: int,
    *,
    learns: bool,
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
    learns : bool
        Whether the network is trained on sentences about classes.
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
        never_said=learns and bool(withheld_facts(facts_of_mentions([read.mentions])).any()),
    )


def automatic_sentences(view: TrainView) -> str:
    """What surrounds the training pixels of each class, as a file that ``text`` reads."""
    of_classes = prompts_of(view, "auto")
    return "\n".join(
        f"{json.dumps(name, ensure_ascii=False)} = "
        f"{json.dumps(list(of_classes[c]), ensure_ascii=False)}"
        for c, name in enumerate(view.class_names, start=1)
    )
