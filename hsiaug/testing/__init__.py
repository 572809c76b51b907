"""The conformance kit: does a plugin keep the contract? Every built-in passes it; run it on your
own.

In a test of a plugin package::

    from hsiaug.testing import check_generator

    def test_it_keeps_the_contract():
        check_generator("my-generator")

The plugin is fitted a dozen times on scenes of 24 × 22 pixels, or on tiles of 16 × 16, along the
path that trials take. What each rule asks, and why, is in docs/develop/plugins-check.md.
"""

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card, check_made_of_params
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import USUAL
from hsiaug.testing import classifiers, generators, protocols
from hsiaug.testing.cases import CASES
from hsiaug.testing.classifiers import ClassifierSubject
from hsiaug.testing.core import CheckList, Kit
from hsiaug.testing.core import ConformanceError as ConformanceError
from hsiaug.testing.core import ConformanceReport as ConformanceReport
from hsiaug.testing.core import Outcome as Outcome
from hsiaug.testing.generators import GeneratorSubject
from hsiaug.testing.protocols import ProtocolSubject

CHECKS: dict[Kind, CheckList] = {
    "generator": generators.CHECKS,
    "classifier": classifiers.CHECKS,
    "protocol": protocols.CHECKS,
}
"""Every check of every kind of plugin, in the order of the report."""


def check_generator(plugin: str | type, preset: str = "tiny") -> ConformanceReport:
    """Every check of a generator, given by its registered name or as its class.

    Raises ConformanceError, which lists each broken rule, what was seen and the hint; its
    ``report`` holds the rest.
    """
    return kit("generator", plugin, preset).report()


def check_classifier(plugin: str | type, preset: str = "tiny") -> ConformanceReport:
    """Every check of a classifier; see :func:`check_generator`."""
    return kit("classifier", plugin, preset).report()


def check_protocol(plugin: str | type) -> ConformanceReport:
    """Every check of a protocol, given by its name, with an argument after a colon or without, or
    as its class.
    """
    return kit("protocol", plugin).report()


def kit(kind: Kind, plugin: str | type, preset: str = "tiny") -> Kit:
    """The kit of one plugin, which is loaded when the first check is run."""
    name = plugin if isinstance(plugin, str) else plugin.__name__
    title = f"{kind} {name}" if kind == "protocol" else f"{kind} {name} (preset {preset})"
    return Kit(title, CHECKS[kind], lambda: _subject(kind, plugin, preset))


def _subject(
    kind: Kind, plugin: str | type, preset: str
) -> ProtocolSubject | GeneratorSubject | ClassifierSubject:
    """The plugin as its checks see it. Raises PluginError for a class that cannot be checked."""
    entry = registry().find(kind, plugin) if isinstance(plugin, str) else None
    loaded = entry.load() if entry else plugin
    if kind == "protocol":
        return ProtocolSubject(loaded, entry.variant if entry else None)
    card = getattr(loaded, "card", None)
    tasks = [task for task in card.tasks if task in CASES] if isinstance(card, Card) else []
    if not tasks:
        rule = "the conformance kit checks classes that carry a Card, for a task that there is"
        hint = "Set card = Card(name=…, version=…, summary=…) on the class."
        raise PluginError(
            rule, value=repr(card.tasks if isinstance(card, Card) else card), hint=hint
        )
    check_made_of_params(loaded)
    # Pixels first, where the plugin serves them; all else in the order of the card.
    tasks.sort(key=lambda task: task != USUAL)
    return (GeneratorSubject if kind == "generator" else ClassifierSubject)(loaded, preset, *tasks)
