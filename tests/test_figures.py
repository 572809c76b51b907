"""Printed text is compared word by word, and its figures with a tolerance."""

import pytest

from tests.figures import Tolerance, differences, figures_of, words_of

ROW = "smote  λ=1x3  46.0 ± 6.7  −0.1 [-0.5, +0.4]  1,802 pixels  .004"


def test_figures_are_read_with_their_signs_and_other_words_are_left_alone() -> None:
    assert figures_of(ROW) == ["46.0", "6.7", "−0.1", "-0.5", "+0.4", "1,802", ".004"]
    assert words_of(ROW) == "smote λ=1x3 # ± # # [#, #] # pixels #"
    assert words_of("9×9 patches of 065d27ee, svm_2") == "#×# patches of 065d27ee, svm_2"


@pytest.mark.parametrize(
    ("shown", "expected", "alike"),
    [
        ("gain -0.1", "gain   0.1", True),
        ("gain 6.5", "gain 6.7", True),
        ("gain 6.5", "gain 6.8", False),
        ("gain 6.5", "loss 6.5", False),
        ("gain 6.5", "gain 6.50", False),
        ("1,802 pixels", "1,830 pixels", True),
        ("1,802 pixels", "1,850 pixels", False),
        ("42 trials", "43 trials", False),
        ("one\ntwo", "one", False),
    ],
)
def test_texts_are_alike_in_their_words_and_nearly_in_their_figures(shown, expected, alike) -> None:
    assert (not differences(shown, expected, Tolerance(units=2, share=0.02))) is alike


def test_without_a_share_whole_numbers_are_equal() -> None:
    assert differences("1802 pixels", "1803 pixels", Tolerance(units=1))
