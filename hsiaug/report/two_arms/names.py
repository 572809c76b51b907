"""How an arm with a classifier is typed: ``GENERATOR[@λ[xM][@ω]]/CLASSIFIER``, as in ``txt2hsi@1x3@2/cnn2d``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.report.labels import method_labels
from hsiaug.report.records import CellKey, in_order
from hsiaug.trial.arm import ALONE, Method

FORM = "GENERATOR[@λ[xM][@ω]]/CLASSIFIER"


def arm_names(keys: Iterable[CellKey]) -> dict[CellKey, str]:
    """A text for each key that :func:`find_arm` takes back to it.

    Where several versions or settings share a name, the text holds what differs, as the report's tables do:
    ``smote k=3@1/svm``.
    """
    listed = in_order(set(keys))
    labels = _labels(listed)
    names = {}
    for arm, classifier in listed:
        lam = "" if arm.generator.name == "none" and not arm.rate else f"@{arm.rate}"
        omega = "" if arm.omega is None else f"@{arm.omega:g}"
        names[arm, classifier] = f"{labels[arm.generator]}{lam}{omega}/{labels[classifier]}"
    return names


def _labels(keys: Iterable[CellKey]) -> dict[Method, str]:
    listed = list(keys)
    return {**method_labels(arm.generator for arm, _ in listed), **method_labels(c for _, c in listed)}


def find_arm(text: str, role: str, keys: Iterable[CellKey]) -> CellKey:
    """The one key that the text fits.

    text: names, with λ, ω and settings (``smote k=3/svm``) where several fit; or a name of :func:`arm_names`.
    role: A or B, for messages.
    Raises InputError where the text has another form, a name is not there (with near ones), and where no key or
    several fit, which are listed.
    """
    names = arm_names(keys)
    exact = [key for key, name in names.items() if name == text]
    if len(exact) == 1:
        return exact[0]
    cuts = [i for i, sign in enumerate(text) if sign == "/"]
    # The names of classifiers may hold a slash of their own.
    found = list(dict.fromkeys(key for cut in cuts for key in _fitting(text[:cut], text[cut + 1 :], names)))
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{role} must name one arm",
            value=f"{text!r}, which fits {len(found)}: {_listed(names[key] for key in found)}",
            hint="Type one of them, in quotes where it has a space.",
        )
    if not cuts:
        raise InputError(
            f"{role} must be {FORM}", value=repr(text), hint=f"In the store: {_listed(names.values())}."
        )
    raise _unknown(text, role, cuts, names)


def _fitting(left: str, classifier: str, names: Mapping[CellKey, str]) -> list[CellKey]:
    """Keys whose names fit, and whose λ, M and ω do where they are given."""
    parts = _parts(left)
    if parts is None:
        return []
    generator, rate, omega = parts
    labels = _labels(names)
    return [
        (arm, c)
        for arm, c in names
        if _fits(generator, labels[arm.generator])
        and (arm == arm.both) == (not generator.endswith(ALONE))
        and _fits(classifier, labels[c])
        # M may be left out.
        and rate in (None, f"{arm.rate.lam:g}", f"{arm.rate.lam:g}x{arm.rate.times:g}")
        and omega in (None, None if arm.omega is None else f"{arm.omega:g}")
    ]


def _fits(text: str, label: str) -> bool:
    """True where the text is the label's name, alone or with some of the settings that the label holds."""
    words = text.split()
    return words[:1] == label.split()[:1] and set(words) <= set(label.split())


def _parts(left: str) -> tuple[str, str | None, str | None] | None:
    """Generator, λ with M, and ω, the numbers as this module writes them; None where they are no numbers."""
    match = re.fullmatch(r"(.+?)(?:@([^@]*))?(?:@([^@]*))?", left)
    if match is None:
        return None
    try:
        rate = match[2] and "x".join(f"{float(number):g}" for number in match[2].split("x", 1))
        omega = match[3] and f"{float(match[3]):g}"
    except ValueError:
        return None
    return match[1], rate, omega


def _unknown(text: str, role: str, cuts: Sequence[int], names: Mapping[CellKey, str]) -> InputError:
    """The error that says which part is not there."""
    rule = f"{role} must be an arm of the store, {FORM}"
    # Of several slashes, the one before the name of a classifier that is there.
    cut = next((cut for cut in cuts if text[cut + 1 :] in {c.name for _, c in names}), cuts[0])
    left, classifier = text[:cut], text[cut + 1 :]
    parts = _parts(left)
    if parts is None:
        return InputError(
            rule, value=repr(text), hint="λ, M and ω are numbers after the generator's name: smote@0.5x3/svm."
        )
    labels = _labels(names)
    sides = {
        "generator": (parts[0], [a.generator for a, _ in names]),
        "classifier": (classifier, [c for _, c in names]),
    }
    for kind, (name, methods) in sides.items():
        if not any(_fits(name, labels[method]) for method in methods):
            known = {text for method in methods for text in (labels[method], method.name)}
            return InputError(rule, value=f"the {kind} {name!r}", hint=did_you_mean(name, known))
    alike = [name for (arm, _), name in names.items() if _fits(parts[0], labels[arm.generator])]
    return InputError(rule, value=f"{text!r}, of which there is no trial", hint=f"There are {_listed(alike)}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
