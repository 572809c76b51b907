"""Facts to sentences by rule: for scenes that carry no descriptions of their own.

Two sentences a class, one of colour and one of shape, texture and neighbours. Words for brightness, moisture and
texture are relative to the other classes, because the units of scenes differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hsiaug_text.facts import ClassFacts

__all__ = ["automatic_sentences", "distinguish"]

BRIGHTNESS = ("very dark", "dark", "of medium brightness", "bright", "very bright")
TEXTURE = ("smooth", "grainy", "rough")
PEAK = ("first", "second", "middle", "fourth", "last")
ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ", "ninth ")

LONG = 2.0
"""A clump of this elongation or more is called a strip."""

Values = Mapping[str, Mapping[int, float]]


def automatic_sentences(facts: Sequence[ClassFacts]) -> dict[int, tuple[str, ...]]:
    """Sentences by class id, the same for the same facts.

    What is said of two classes differs also apart from their names. A class without training pixels shows
    nothing, so its one sentence is its name.
    """
    seen = [f for f in facts if f.pixels]
    colour = distinguish(_colours(seen), _colour_values(seen))
    form = distinguish(_forms(seen), _form_values(seen))
    made: dict[int, tuple[str, ...]] = {f.class_id: (f"the {f.name}",) for f in facts}
    for f in seen:
        c = f.class_id
        made[c] = (f"the {f.name} lies {form[c]}", f"the {f.name} is {colour[c]}")
    return made


def distinguish(phrases: Mapping[int, str], values: Values) -> dict[int, str]:
    """Phrases by class id, made different by the attribute in which those that are equal differ most.

    values: for each superlative ("brightest") its attribute by class id. Of equal phrases the class with the
    largest value becomes "…, the brightest", the next "…, the second brightest" and so on.
    """
    groups: dict[str, list[int]] = {}
    for c, phrase in phrases.items():
        groups.setdefault(phrase, []).append(c)
    made = dict(phrases)
    for phrase, group in groups.items():
        if len(group) == 1:
            continue
        best = max(values, key=lambda name: _separation(values[name], group))
        ranked = sorted(group, key=lambda c: (-values[best][c], c))
        for rank, c in enumerate(ranked):
            ordinal = ORDINALS[rank] if rank < len(ORDINALS) else f"{rank + 1}th "
            made[c] = f"{phrase}, the {ordinal}{best} of {len(group)}"
    return made


def _separation(value: Mapping[int, float], group: Sequence[int]) -> float:
    """Range within the group, relative to the standard deviation over all classes."""
    inside = [value[c] for c in group]
    return (max(inside) - min(inside)) / max(float(np.std(list(value.values()))), 1e-12)


def _colours(seen: Sequence[ClassFacts]) -> dict[int, str]:
    bright = _levels({f.class_id: f.brightness for f in seen}, BRIGHTNESS)
    moist = _levels(_index(seen, "ndwi_plants"), ("dry", "", "moist"))
    short = _levels(_index(seen, "swir_vnir"), ("weak", "", "strong"))
    made = {}
    for f in seen:
        words = [bright[f.class_id], *_cover(f), moist.get(f.class_id, "")]
        if short.get(f.class_id):
            words.append(f"{short[f.class_id]} in the short wave infrared")
        made[f.class_id] = _listed([word for word in words if word])
    return made


def _cover(f: ClassFacts) -> list[str]:
    """Green, tint and water from the indices; without wavelengths, where in the bands the spectrum is high."""
    if "ndvi" not in f.indices:
        part = PEAK[min(int(f.peak * 5), 4)]
        course = "rising" if f.tilt > 0.1 else "falling" if f.tilt < -0.1 else "level"
        return [f"{course} over the bands", f"strongest in their {part} fifth"]
    ndvi = f.indices["ndvi"]
    if f.indices.get("ndwi_open", 0.0) > 0.1 and ndvi < 0.1:
        return ["falling into the near infrared"]
    if ndvi > 0.6:
        return ["deep green"]
    if ndvi > 0.35:
        return ["green"]
    red, blue = f.indices.get("redness", 0.0), f.indices.get("blueness", 0.0)
    tint = "reddish" if red > 0.05 else "bluish" if blue > 0.05 else "grey"
    return ["a little green" if ndvi > 0.15 else "hardly green", tint]


def _forms(seen: Sequence[ClassFacts]) -> dict[int, str]:
    rough = _levels({f.class_id: f.texture for f in seen}, TEXTURE) if any(f.texture for f in seen) else {}
    return {f.class_id: _form(f, rough.get(f.class_id, "")) for f in seen}


def _form(f: ClassFacts, texture: str) -> str:
    place = f.place
    if 2 * place.clumps > f.pixels:
        shape = ["in", "scattered", texture, "spots"]
    elif place.clumps > 1:
        shape = ["in", "several", texture, "strips" if place.elongation >= LONG else "patches"]
    else:
        long = place.elongation >= LONG
        shape = ["in one", "elongated" if long else "compact", texture, "strip" if long else "patch"]
    return " ".join(word for word in [*shape, place.relation] if word)


def _colour_values(seen: Sequence[ClassFacts]) -> Values:
    values: dict[str, dict[int, float]] = {"brightest": {f.class_id: f.brightness for f in seen}}
    for superlative, index in (("greenest", "ndvi"), ("moistest", "ndwi_plants"), ("reddest", "redness")):
        known = _index(seen, index)
        if known:
            values[superlative] = known
    values["most rising"] = {f.class_id: f.tilt for f in seen}
    return values


def _form_values(seen: Sequence[ClassFacts]) -> Values:
    return {
        "roughest": {f.class_id: f.texture for f in seen},
        "longest": {f.class_id: f.place.elongation for f in seen},
        "widest": {f.class_id: f.place.spread for f in seen},
    }


def _index(seen: Sequence[ClassFacts], name: str) -> dict[int, float]:
    return {f.class_id: f.indices[name] for f in seen if name in f.indices}


def _levels(values: Mapping[int, float], words: Sequence[str]) -> dict[int, str]:
    """A word for each class by its rank among the classes; a lone class gets the middle one."""
    ranked = sorted(values, key=lambda c: (values[c], c))
    last = len(ranked) - 1
    return {
        c: words[min(int(rank / last * len(words)), len(words) - 1) if last else len(words) // 2]
        for rank, c in enumerate(ranked)
    }


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
