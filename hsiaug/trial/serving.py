"""Which plugin serves which task, itself or through the adapter for generators of masks."""

from __future__ import annotations

from dataclasses import replace

from hsiaug.base.errors import InputError
from hsiaug.registry.card import Card
from hsiaug.tasks.task import get_task

__all__ = ["as_served", "check_serves", "needs_adapter"]


def needs_adapter(card: Card, task: str) -> bool:
    """True for a generator that serves a task through :mod:`hsiaug.trial.adapter` alone."""
    return task not in card.tasks and any(other in card.tasks for other in get_task(task).adapts)


def as_served(card: Card, task: str) -> Card:
    """The card of a generator as it serves a task: through the adapter it reads every pixel, and says so."""
    return replace(card, tasks=(task,), scope="scene") if needs_adapter(card, task) else card


def check_serves(card: Card, kind: str, task: str) -> None:
    """Raise InputError unless a plugin serves a task, itself or through the adapter."""
    if task in card.tasks or (kind == "generator" and needs_adapter(card, task)):
        return
    raise InputError(
        f"a {kind} of this benchmark must serve the task {task}",
        value=f"{card.name}, which serves {', '.join(card.tasks)}",
        hint=f"Choose another; 'hsiaug plugins list' shows what each serves, or use --task {card.tasks[0]}.",
    )
