"""The conformance kit: does a plugin keep the contract? Every built-in passes it; run it on your
own.

In a test of a plugin package::

    from hsiaug.testing import check_generator

    def test_it_keeps_the_contract():
        check_generator("my-generator")

The plugin is fitted a dozen times on scenes of 24 × 22 pixels, or on tiles of 16 × 16, along the
path that trials take. Each check is a function of the plugin on such a scene; ``CHECKS`` lists
them.
"""

from typing import Any

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card, build_params, check_made_of_params, check_preset
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.testing import classifier_checks, generator_checks, protocol_checks
from hsiaug.testing.checks import CheckList, ConformanceReport, run_checks
from hsiaug.testing.checks import ConformanceError as ConformanceError
from hsiaug.testing.checks import Outcome as Outcome
from hsiaug.testing.classifier_checks import ClassifierSubject
from hsiaug.testing.generator_checks import GeneratorSubject
from hsiaug.testing.protocol_checks import ProtocolSubject
from hsiaug.testing.scenes import HARD, easy_case

CHECKS: dict[Kind, CheckList] = {
    "generator": generator_checks.CHECKS,
    "classifier": classifier_checks.CHECKS,
    "protocol": protocol_checks.CHECKS,
}
"""Every check of every kind of plugin, in the order of the report."""


def check_generator(plugin: str | type, preset: str = "tiny") -> ConformanceReport:
    """Every check of a generator, given by its registered name or as its class.

    Raises ConformanceError, which lists each broken rule, what was seen and the hint; its
    ``report`` holds the rest.
    """
    return check_plugin("generator", plugin, preset)


def check_classifier(plugin: str | type, preset: str = "tiny") -> ConformanceReport:
    """Every check of a classifier; see :func:`check_generator`."""
    return check_plugin("classifier", plugin, preset)


def check_protocol(plugin: str | type) -> ConformanceReport:
    """Every check of a protocol, given by its name, with an argument after a colon or without, or
    as its class.
    """
    return check_plugin("protocol", plugin)


def check_plugin(kind: Kind, plugin: str | type, preset: str = "tiny") -> ConformanceReport:
    """Every check of a plugin; see :func:`check_generator`."""
    name = plugin if isinstance(plugin, str) else plugin.__name__
    title = f"{kind} {name}" if kind == "protocol" else f"{kind} {name} (preset {preset})"
    subject = subject_of(kind, plugin, preset)
    report = ConformanceReport(title, tuple(run_checks(CHECKS[kind], subject)))
    if not report.failures:
        return report
    broken = len(report.failures)
    listed = "".join(f"\n\n{outcome}" for outcome in report.failures)
    error = ConformanceError(
        f"{title} must pass the conformance kit",
        value=f"{broken} broken rule{'s' if broken > 1 else ''}",
        hint=f"docs/develop/plugins-check.md has more.{listed}",
    )
    error.report = report
    raise error


def subject_of(kind: Kind, plugin: str | type, preset: str = "tiny") -> Any:
    """A plugin as its checks are given it: on the easy case of the first task that it serves.

    Raises PluginError for a class that cannot be checked.
    """
    entry = registry().find(kind, plugin) if isinstance(plugin, str) else None
    loaded: Any = entry.load() if entry else plugin
    if kind == "protocol":
        return ProtocolSubject(loaded, entry.variant if entry else None)
    card = getattr(loaded, "card", None)
    tasks = [task for task in HARD if task in card.tasks] if isinstance(card, Card) else []
    if not isinstance(card, Card) or not tasks:
        rule = "the conformance kit checks classes that carry a Card, for a task that there is"
        hint = "Set card = Card(name=…, version=…, summary=…) on the class."
        raise PluginError(rule, value=repr(getattr(card, "tasks", card)), hint=hint)
    check_made_of_params(loaded)
    check_preset(preset, [card])
    subject = GeneratorSubject if kind == "generator" else ClassifierSubject
    return subject(loaded, build_params(card, preset), easy_case(tasks[0]))
