"""The texts of protocols: what is a number, what may be nested, and what is refused at once."""

import pytest

from hsiaug.base.errors import InputError
from hsiaug.data import toy_scene
from hsiaug.protocol.balance import check_lambda, check_omega
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split

LONG = "9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        f"kshot:{LONG}",
        f"kshot:{'9' * 400}",
        "kshot:1000000000",
        "kshot:\u0663",
        "kshot:\u00b2",
        f"blocks:{'9' * 30}",
        "blocks:1e9",
        "issd:1e400",
        "issd:nan",
        f"issd:{LONG}",
        f"within:issd@{LONG}",
        "within:issd@\u0663",
        "within:within:issd",
        "random-twin:random-twin:issd",
        "random-twin:" * 2000 + "issd",
        "random-twin:places",
        f"fixed:{'x' * 300}.npy",
        "fixed:~nobody-of-that-name/x.npy",
        f"{LONG}:1",
    ],
)
def test_what_is_no_protocol_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_protocol(text)
    assert len(str(error.value)) < 1500 and "\n" not in str(error.value)


def test_places_are_of_masks_and_not_of_pixels() -> None:
    for text in ("places", "places:9", "within:places"):
        with pytest.raises(InputError, match="single pixels"):
            draw_split(toy_scene(), parse_protocol(text), 0, 5)


@pytest.mark.parametrize("value", [1e9, float("nan"), float("inf"), -1.0])
def test_rates_and_strengths_have_an_upper_bound(value: float) -> None:
    for check in (check_lambda, check_omega):
        with pytest.raises(InputError, match="from 0 to 1000"):
            check(value)
