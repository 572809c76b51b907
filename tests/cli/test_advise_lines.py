"""The lines of ``hsiaug advise``: each statement has a line of its own, whatever was found."""

from types import SimpleNamespace
from typing import Any

import pytest

from hsiaug.protocol.balance import Rate
from hsiaug.report.text_templates import labelled

FINAL = SimpleNamespace(
    classifier=SimpleNamespace(name="fused:svm"),
    view="raw",
    rate=Rate(1.0),
    generator=SimpleNamespace(name="pseudo"),
)
CHOSEN = SimpleNamespace(draws=2)
KINDS: dict[str, dict[str, Any]] = {
    "use": {"chosen": CHOSEN},
    "none helps": {"chosen": None},
    "none helps, one tried": {"chosen": CHOSEN},
    "cannot tell": {"chosen": None, "ceiling": ("svm", 0.99)},
    "not decided": {"chosen": None},
    "not decided, one tried": {"chosen": CHOSEN},
}

FOUND = {
    "use": "Inner draws show an arm that helps: ",
    "none helps": "Inner draws show no arm that helps: ",
    "cannot tell": "Inner draws cannot tell which generator is best",
    "not decided": "Inner draws leave it open: ",
}


def lines_of(kind: str, *, single_pixels: bool, **about: Any) -> list[tuple[str, str]]:
    advice = SimpleNamespace(
        **{
            "kind": kind.split(",")[0],
            "screened": (),
            "confirmed": (),
            "ceiling": None,
            "final": FINAL,
            "failed": (),
            "score": "AA",
            "large": (),
            "level": 0.95,
            "without_generator": {"svm": 0.9},
            **KINDS[kind],
        }
    )
    usual: dict[str, Any] = {
        "advice": advice,
        "gain": lambda one: "a gain",
        "name": lambda one: "an arm",
        "percent": str,
        "taken": False,
        "untried": {"cvae"},
        "screen": 3,
        "confirm": 12,
        "near": 0.0,
        "close": 50.0,
        "single_pixels": single_pixels,
        "view": "",
        "tested": 3,
        "ref": "mine.toml",
        "commands": {"command": "c", "map": "m"},
        "own_map": "o",
        "benchmark": None,
        "whole": False,
        "notes": [],
        "train": "1",
        "test": "2",
        "overlap": "0",
        "part": "patch",
        "blind": set(),
        "small": [],
        "few": False,
        "lost": [],
        "transductive": False,
        "tried": [],
        "spent": "1 of 2",
        "root": "store",
        "leaky": "",
    }
    return labelled("advise.txt", **{**usual, **about})


@pytest.mark.parametrize("single_pixels", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_to_use_and_what_inner_draws_show_is_one_message(
    kind: str, single_pixels: bool
) -> None:
    lines = lines_of(kind, single_pixels=single_pixels)
    (_, use), (command, _) = lines[:2]
    assert [label for label, _ in lines].count("use") == 1 and command == "command"
    assert use.startswith("fused:svm") and FOUND[kind.split(",")[0]] in use
    assert all(said and "\t" not in said for _, said in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_beside_a_benchmark_inner_draws_say_no_other_arm_to_use(kind: str) -> None:
    lines = lines_of(kind, single_pixels=True, benchmark=SimpleNamespace(sentence="svm: AA 50"))
    assert [label for label, _ in lines][:4] == ["use", "command", "or use", "or"]
    assert lines[0][1].startswith("svm: AA 50. Inner draws ")


def test_an_arm_that_was_not_confirmed_says_why_it_is_used() -> None:
    (_, use), *_ = lines_of("use", single_pixels=True)
    assert "which gained on most public scenes" in use
    assert use.endswith("a gain; it is not shown above what is used here")
    (_, use), *_ = lines_of("use", single_pixels=True, taken=True)
    assert "public scenes" not in use and use.endswith("Inner draws show an arm that helps: a gain")
