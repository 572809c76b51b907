"""``hsiaug datasets info --sentences``: what a generator says of a scene by itself."""

from tests.in_process import hsiaug


def test_sentences_are_printed_as_a_file() -> None:
    asked = ("datasets", "info", "toy", "--sentences", "txt2hsi")
    text = hsiaug(*asked)
    assert text.returncode == 0 and text.stdout.startswith("# Sentences of split 0")
