"""``hsiaug datasets info --sentences``: what a generator says of a scene by itself."""

import json

from tests.in_process import hsiaug


def test_sentences_are_printed_as_a_file_and_as_json() -> None:
    asked = ("datasets", "info", "toy", "--sentences", "txt2hsi")
    text = hsiaug(*asked)
    told = json.loads(hsiaug(*asked, "--json").stdout)
    assert text.returncode == 0 and text.stdout.startswith("# Sentences of split 0")
    assert told == {"generator": "txt2hsi", "seed": 0, "text": text.stdout.removesuffix("\n")}
