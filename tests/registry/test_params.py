"""Values of hyper-parameters: read as Python reads them, and only those that a card allows."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import InputError
from hsiaug.registry.card import MOST, Card, build_params, param


@dataclass(frozen=True)
class Params:
    count: int = param(3, "a whole number")
    rate: float = param(0.5, "a number")
    shown: bool = param(True, "a switch")
    word: str = param("a", "a text")
    few: int = param(2, "a bounded whole number", low=0.5, high=9)
    share: float = param(0.1, "a bounded number", low=0, high=1)
    side: int = param(4, "a choice", choices=(2, 4, 8))
    copy: str = param("all", "a choice, named as a method of pydantic's models",
                      choices=("all", "none"))  # fmt: skip
    names: tuple[str, ...] = param(("a",), "what cannot be typed")


CARD = Card(name="one", version="1", summary="", params=Params)


def value(name: str, text: str) -> object:
    """The value of a typed parameter; None where it is refused."""
    try:
        return getattr(build_params(CARD, overrides={name: text}), name)
    except InputError as error:
        assert f"`one.{name}`" in str(error)
        return None


def python(kind: Callable[[str], object], allowed: Callable[..., bool]) -> Callable[[str], object]:
    """What Python makes of a text; None where that is nothing, or not allowed."""

    def read(text: str) -> object:
        try:
            read = kind(text)
        except ValueError:
            return None
        return read if allowed(read) else None

    return read


OF_PYTHON: Mapping[str, Callable[[str], object]] = {
    "count": python(int, lambda n: abs(n) < MOST),
    "rate": python(float, math.isfinite),
    "few": python(int, lambda n: 0.5 <= n <= 9),
    "share": python(float, lambda x: 0 <= x <= 1),
    "side": python(int, (2, 4, 8).__contains__),
    "copy": python(str, ("all", "none").__contains__),
    "word": python(str, lambda text: True),
}
numbers = (
    st.integers(-20, 20) | st.integers() | st.sampled_from((MOST, -MOST, MOST - 1, 1 - MOST))
).map(str)
texts = (
    numbers
    | st.floats().map(repr)
    | st.text("0123456789+-_.einfxa \t", max_size=8)
    | st.sampled_from(("all", "none", "All", "2", "4"))
)


@settings(phases=[Phase.explicit, Phase.generate], deadline=None)
@example(" 952_07")
@example("8_.")
@example("0-3")
@example("0-15217")
@given(texts)
def test_values_are_read_as_python_reads_them(text: str) -> None:
    for name, read in OF_PYTHON.items():
        expected, actual = read(text), value(name, text)
        if expected is None and isinstance(actual, int) and float(text) == actual:
            continue  # 3.0 is a whole number too
        assert actual == expected and type(actual) is type(expected), (name, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False), ("2", None),
     ("", None), ("none", None)],
)  # fmt: skip
def test_a_switch_is_true_or_false(text: str, expected: bool | None) -> None:
    assert value("shown", text) is expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("count", "3.5", "must be a whole number of at most 18 digits; found '3.5'. The default"),
        ("rate", "much", "must be a float, and finite; found 'much'. The default is 0.5"),
        ("rate", "nan", "must be a float, and finite; found 'nan'"),
        ("shown", "perhaps", "must be true or false; found 'perhaps'. The default is True"),
        ("word", "\udcff", "must be a text"),
        ("few", "10", "must lie in [0.5, 9]; found 10. The default is 2."),
        ("share", "-1", "must lie in [0, 1]; found -1.0. The default is 0.1."),
        ("side", "3", "must be 2 or 4 or 8; found '3'"),
        ("copy", "nome", "must be all or none; found 'nome'. Did you mean none"),
        ("names", "a", "must be tuple; found 'a'"),
    ],
)
def test_a_refused_value_is_named_with_what_was_expected(
    name: str, text: str, message: str
) -> None:
    with pytest.raises(InputError) as error:
        build_params(CARD, overrides={name: text})
    assert f"`one.{name}` {message}" in str(error.value)


def test_values_of_a_preset_are_checked_and_stay_as_they_were_written() -> None:
    presets = {"tiny": {"rate": 1, "names": ("b",)}, "wide": {"share": 2}, "odd": {"few": "many"}}
    card = Card(name="one", version="1", summary="", params=Params, presets=presets)
    tiny = build_params(card, "tiny")
    assert repr(tiny.rate) == "1" and tiny.names == ("b",)
    assert build_params(card, "wide", {"share": "0.5"}).share == 0.5
    for preset, message in (("wide", r"one\.share` must lie in"), ("odd", r"one\.few` must be a")):
        with pytest.raises(InputError, match=message):
            build_params(card, preset)


def test_an_earlier_name_is_taken_with_the_new_one_said() -> None:
    @dataclass(frozen=True)
    class Renamed:
        best_of: int = param(4, "of several", formerly="tries")

    card = Card(name="one", version="1", summary="", params=Renamed)
    with pytest.warns(FutureWarning, match=r"one\.tries is now best_of"):
        assert build_params(card, overrides={"tries": "2"}).best_of == 2
