"""Few samples of prompts, for tests that look at something else."""

import pytest

from hsiaug.trial.prompts import Amounts

__all__ = ["ask_few_prompts"]

FEW = Amounts(alone=1, triples=1, layout=1, look=1, looks=("evenness", "share"))


def ask_few_prompts(patch: pytest.MonkeyPatch) -> None:
    """Ask each generator that reads text for a few samples, until the patch is undone."""
    for module in ("oracle", "prompts"):
        patch.setattr(f"hsiaug.trial.{module}.TREES", 5)
    patch.setattr("hsiaug.trial.prompts.AMOUNTS", FEW)
    patch.setattr("hsiaug.quality.said_seen.AMOUNTS", FEW)
    patch.setattr("hsiaug.quality.prompt_sheet.COLUMNS", 2)
    patch.setattr("hsiaug.quality.prompt_sheet.CLASSES", 1)
