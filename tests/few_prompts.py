"""Few samples of prompts, for tests that look at something else."""

import pytest

from hsiaug.quality.prompt_fidelity import Amounts

__all__ = ["ask_few_prompts"]

FEW = Amounts(alone=1, triples=1, layout=1, look=1)


def ask_few_prompts(patch: pytest.MonkeyPatch) -> None:
    """Ask each generator that reads text for a few samples, until the patch is undone."""
    patch.setattr("hsiaug.quality.prompt_fidelity.TREES", 5)
    patch.setattr("hsiaug.quality.prompt_fidelity.AMOUNTS", FEW)
    patch.setattr("hsiaug.quality.contact_sheets.PROMPT_COLUMNS", 2)
    patch.setattr("hsiaug.quality.contact_sheets.PROMPT_CLASSES", 1)
