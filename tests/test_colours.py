"""Colours are told apart by colour-blind eyes too, and each has one meaning."""

import re
from itertools import combinations

import numpy as np
import pytest

from benchmarks.class_palette import EYES, TO_CONES, TO_LAB
from hsiaug.base.colours import (
    CLASSES,
    HELD_OUT,
    LEFT_OUT,
    NO_DATA,
    SERIES,
    SYNTHETIC,
    TONES,
    TRAIN,
    class_colours,
    rgb_of,
)
from hsiaug.report.render_page import HTML

PAPERS = ("#ffffff", "#181f27")
LINK = "#0a4fb3"


def linear(colour: str) -> np.ndarray:
    srgb = np.array(rgb_of(colour)) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def seen(colour: str, eye: str) -> np.ndarray:
    """OKLab times 100, in which about 2 is the least difference that is seen side by side."""
    return 100 * TO_LAB @ np.cbrt(TO_CONES @ np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1))


def least(colours: tuple[str, ...], eye: str, others: tuple[str, ...] = ()) -> float:
    pairs = [(a, b) for a in colours for b in others] if others else list(combinations(colours, 2))
    return min(float(np.linalg.norm(seen(a, eye) - seen(b, eye))) for a, b in pairs)


def contrast(a: str, b: str) -> float:
    dark, light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (a, b))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("eye", "first_eight", "every", "ground"),
    [
        ("normal", 15, 13.5, 12),
        ("protanopia", 11.5, 10.5, 9),
        ("deuteranopia", 11.5, 10.4, 9),
        ("tritanopia", 9, 8.3, 7.5),
    ],
)
def test_classes_stay_apart(eye: str, first_eight: float, every: float, ground: float) -> None:
    assert len(CLASSES) == 16
    assert least(CLASSES[:8], eye) >= first_eight
    assert least(CLASSES, eye) >= every
    assert least(CLASSES, eye, (*PAPERS, NO_DATA)) >= ground


@pytest.mark.parametrize("eye", EYES)
def test_roles_stay_apart(eye: str) -> None:
    assert least((TRAIN, HELD_OUT, SYNTHETIC, LEFT_OUT, NO_DATA), eye) >= 9.5


def test_no_role_looks_like_a_series_or_a_verdict() -> None:
    roles = (TRAIN, HELD_OUT, SYNTHETIC)
    assert least(roles, "normal", SERIES) >= 14
    assert least(roles, "normal", tuple(TONES.values())) >= 8


@pytest.mark.parametrize("dark", [False, True])
def test_series_stand_out_from_the_paper_and_mean_no_verdict(dark: bool) -> None:
    shown = tuple(schemes()[dark][f"s{i}"] for i in range(len(SERIES)))
    assert min(contrast(colour, PAPERS[dark]) for colour in shown) >= 3
    for eye, apart in (
        ("normal", 12),
        ("protanopia", 7.5),
        ("deuteranopia", 7.5),
        ("tritanopia", 6),
    ):
        assert least(shown, eye) >= apart, eye
    if not dark:
        assert least(shown, "normal", (*list(TONES.values()), LINK)) >= 11


def test_no_two_classes_have_one_colour() -> None:
    colours = class_colours(255)
    assert colours.shape == (256, 3) and tuple(colours[0]) == rgb_of(NO_DATA)
    assert len({tuple(colour) for colour in colours.tolist()}) == 256
    assert [tuple(colour) for colour in colours[1:17].tolist()] == [
        rgb_of(colour) for colour in CLASSES
    ]


def schemes() -> tuple[dict[str, str], dict[str, str], str]:
    """Names and values of the page's colours in the light and in the dark, and the rest of its
    style.
    """
    style = (HTML / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, flags=re.S)
    values = [dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in (light, dark)]
    return values[0], values[1], re.sub(r":root \{.*?\}", "", style, flags=re.S)


def test_every_colour_of_the_page_has_one_name() -> None:
    light, dark, rest = schemes()
    for found in (light, dark):
        assert len(set(found.values())) == len(found)
    assert [light[f"s{i}"] for i in range(len(SERIES))] == list(SERIES)
    verdicts = ("good", "loss", "bad", "warn", "soft")
    assert {name: light[name] for name in verdicts} == dict(
        zip(verdicts, TONES.values(), strict=True)
    )
    left = set(re.findall(r"#[0-9a-f]{3,6}\b", rest))
    assert left == {"#fff"}, "the mat of pictures made for white paper"
