"""The conformance kit: does a plugin keep the contract? Every built-in passes it; run it on your own.

In a test of a plugin package::

    from hsiaug.testing import check_generator

    def test_it_keeps_the_contract():
        check_generator("my-generator")

or one test per rule::

    @pytest.mark.parametrize(("name", "check"), list(generator_checks("my-generator")))
    def test_it_keeps_the_contract(name, check):
        check()

The plugin is fitted a dozen times on scenes of 24 × 22 pixels, or on tiles of 16 × 16, along the path that trials take.
What each rule asks, and why, is in docs/plugins.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card, Preset
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.testing import classifiers, generators, protocols
from hsiaug.testing.classifiers import ClassifierSubject
from hsiaug.testing.core import CheckList, ConformanceError, Kit, Outcome, Report
from hsiaug.testing.generators import GeneratorSubject
from hsiaug.testing.mask_kit import MaskKit
from hsiaug.testing.pixel_kit import PixelKit
from hsiaug.testing.protocols import ProtocolSubject
from hsiaug.testing.task_kit import AnyTaskKit

__all__ = [
    "ConformanceError",
    "Outcome",
    "Report",
    "check_classifier",
    "check_generator",
    "check_protocol",
    "classifier_checks",
    "generator_checks",
    "kit",
    "protocol_checks",
]

TASK_KITS: dict[str, AnyTaskKit] = {
    task_kit.task: cast(AnyTaskKit, task_kit)
    for task_kit in (PixelKit(), MaskKit("segmentation"), MaskKit("change"))
}
"""The tasks that plugins can be checked in."""

CHECKS: dict[Kind, CheckList] = {
    "generator": generators.CHECKS,
    "classifier": classifiers.CHECKS,
    "protocol": protocols.CHECKS,
}
"""Every check of every kind of plugin, in the order of the report."""


def check_generator(plugin: str | type, preset: Preset = "tiny") -> Report:
    """Every check of a generator, given by its registered name or as its class.

    Raises ConformanceError, which lists each broken rule, what was seen and the hint; its ``report`` holds the rest.
    """
    return kit("generator", plugin, preset).report()


def check_classifier(plugin: str | type, preset: Preset = "tiny") -> Report:
    """Every check of a classifier; see :func:`check_generator`."""
    return kit("classifier", plugin, preset).report()


def check_protocol(plugin: str | type) -> Report:
    """Every check of a protocol, given by its name, with an argument after a colon or without, or as its class."""
    return kit("protocol", plugin).report()


def generator_checks(plugin: str | type, preset: Preset = "tiny") -> Iterator[tuple[str, Any]]:
    """(name, check) of every check of a generator; ``check()`` raises ConformanceError, or SkipTest."""
    return iter(kit("generator", plugin, preset))


def classifier_checks(plugin: str | type, preset: Preset = "tiny") -> Iterator[tuple[str, Any]]:
    """(name, check) of every check of a classifier; see :func:`generator_checks`."""
    return iter(kit("classifier", plugin, preset))


def protocol_checks(plugin: str | type) -> Iterator[tuple[str, Any]]:
    """(name, check) of every check of a protocol; see :func:`generator_checks`."""
    return iter(kit("protocol", plugin))


def kit(
    kind: Kind,
    plugin: str | type,
    preset: Preset = "tiny",
    known: Iterable[Outcome] = (),
    *,
    careful: bool = False,
) -> Kit:
    """The kit of one plugin, which is loaded when the first check is run.

    known: outcomes that came before. careful: the plugin may end the process, so that no check tries more than it must.
    """
    name = plugin if isinstance(plugin, str) else plugin.__name__
    title = f"{kind} {name}" if kind == "protocol" else f"{kind} {name} (preset {preset})"

    def make() -> Any:
        subject = _subject(kind, plugin, preset)
        subject.careful = careful
        return subject

    return Kit(title, CHECKS[kind], make, known)


def _subject(kind: Kind, plugin: str | type, preset: Preset) -> Any:
    """The plugin as its checks see it. Raises PluginError for a class that cannot be checked."""
    found = registry().find(kind, plugin) if isinstance(plugin, str) else None
    entry, loaded = (found.entry, found.load()) if found else (None, plugin)
    card = getattr(loaded, "card", None)
    if kind == "protocol":
        return ProtocolSubject(loaded, found.variant if found else None, entry)
    task_kits = [TASK_KITS[task] for task in card.tasks if task in TASK_KITS] if isinstance(card, Card) else []
    if not task_kits:
        raise PluginError(
            "the conformance kit checks classes that carry a Card, for a task that there is",
            value=repr(card.tasks if isinstance(card, Card) else card),
            hint="Set card = Card(name=…, version=…, summary=…) on the class.",
        )
    # Pixels first, where the plugin serves them; all else in the order of the card.
    task_kits.sort(key=lambda task_kit: task_kit.task != "pixels")
    return (GeneratorSubject if kind == "generator" else ClassifierSubject)(loaded, preset, entry, *task_kits)
