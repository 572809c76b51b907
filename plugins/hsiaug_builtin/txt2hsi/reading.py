"""What is understood of prompts as somebody typed them; needs no fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hsiaug.api import PromptReading
from hsiaug_builtin.text.layout import NEIGHBOURS, read_sentence, write_sentence
from hsiaug_builtin.txt2hsi.facts import facts_of_mentions, withheld_facts


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
        faults=tuple(faults),
        never_said=bool(withheld_facts(facts_of_mentions([read.mentions])).any()),
    )
