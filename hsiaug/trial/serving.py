"""Which plugin serves which task, and the adapter that lets a generator of masks serve pixel classification."""

from __future__ import annotations

from hsiaug.errors import InputError
from hsiaug.plugins.card import Card

__all__ = ["check_serves", "needs_adapter"]


def needs_adapter(card: Card, task: str) -> bool:
    """True for a generator of segmentation masks in pixel classification; see :mod:`hsiaug.trial.adapter`."""
    return task == "pixels" and task not in card.tasks and "segmentation" in card.tasks


def check_serves(card: Card, kind: str, task: str) -> None:
    """Raise InputError unless a plugin serves a task, itself or through the adapter."""
    if task in card.tasks or (kind == "generator" and needs_adapter(card, task)):
        return
    raise InputError(
        f"a {kind} of this benchmark must serve the task {task}",
        value=f"{card.name}, which serves {', '.join(card.tasks)}",
        hint=f"Choose another; 'hsiaug plugins list' shows what each serves, or use --task {card.tasks[0]}.",
    )
