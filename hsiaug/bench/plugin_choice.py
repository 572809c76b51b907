"""Which plugins a benchmark runs: those that were asked for, and the controls that their cards call
for.
"""

import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from typing import NamedTuple

from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.bench.request import CompleteRequest
from hsiaug.registry.card import Card, build_params, check_preset, check_serves
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.arm import BOTH
from hsiaug.trial.plugin_calls import kept_state
from hsiaug.trial.spec import PluginSpec, plugin_spec


class Configured(NamedTuple):
    """A plugin as it enters trials, and its card."""

    spec: PluginSpec
    card: Card


Configure = Callable[[Kind, str], Configured]


def choose_plugins(
    request: CompleteRequest, data: TaskData, plugins: Registry, notes: list[str]
) -> tuple[list[Configured], list[Configured]]:
    """The generators and the classifiers of a benchmark.

    Parameters
    ----------
    request : CompleteRequest
        Names those that were asked for.
    data : Scene or PairSet
        What they run on.
    plugins : Registry
        Where they are looked up.
    notes : list of str
        Takes sentences on what is run too.

    Returns
    -------
    generators, classifiers : list of Configured
        Controls lead the generators.

    Raises
    ------
    InputError
        For unknown names and values, and for settings of a plugin that is not run.
    PluginError
        For a plugin that cannot be loaded.
    """
    configure = partial(_configure, request, data, plugins)
    generators = _choose_generators(request, plugins, configure, notes)
    names = _choose_classifiers(request, generators, plugins, notes)
    classifiers = [configure("classifier", name) for name in names]
    _check_overrides(request, [*generators, *classifiers])
    return generators, classifiers


def _measures(control: Card, card: Card, task: Task) -> bool:
    """Whether a generator is measured against a control."""
    return control.control_of in task.control_kinds(card.scope)


def _configure(
    request: CompleteRequest, data: TaskData, plugins: Registry, kind: Kind, name: str
) -> Configured:
    """A plugin with its hyper-parameters.

    Raises InputError for unknown names and values, and for a plugin of other tasks; PluginError
    where it cannot be loaded, or its params cannot be sent to other processes.
    """
    # A plugin's module and its params are code of its own too, which may print.
    with kept_state(), redirect_stdout(sys.stderr):
        check_preset(request.preset, plugins.cards())
        registered = plugins.find(kind, name)
        card: Card = registered.card
        if card.control_of and not registered.entry.control:
            rule = f"the Entry of {kind} {card.name} must say control=True, as its card declares it"
            hint = "Say so where its package lists it, or leave control_of out of its card."
            raise PluginError(rule, hint=hint)
        check_serves(card, kind, request.task)
        params = build_params(card, request.preset, request.overrides.get(name))
        try:
            pickle.dumps(params)
        except Exception as error:
            rule = f"the params of {card.name} must be of a class that other processes can import"
            hint = "Define it at the top level of its module."
            raise PluginError(rule, value=f"{type(error).__name__}: {error}", hint=hint) from error
    return Configured(plugin_spec(card, params, data), card)


def _declared_controls(kind: Kind, task: Task, plugins: Registry, notes: list[str]) -> list[Card]:
    """Cards of all controls of a task: those of all configurations first, then of masks and of
    transductive generators; what adds no sample leads.
    """
    cards: list[Card] = []
    for plugin in plugins.controls(kind):
        try:
            card: Card = plugin.card
            if not card.control_of:
                rule = f"the card of {kind} {card.name} must say what it is a control of"
                hint = "Give the card control_of, or its Entry no control=True."
                raise PluginError(rule, hint=hint)
        except HsiaugError as error:
            notes.append(f"{plugin.entry.name} cannot be run as a control: {error}")
            continue
        if card.serves(task.name) and card.control_of in task.control_kinds("scene"):
            cards.append(card)
    order = ("all", "masks", "transductive")
    return sorted(cards, key=lambda card: (order.index(card.control_of), card.adds))


def _choose_generators(
    request: CompleteRequest, plugins: Registry, configure: Configure, notes: list[str]
) -> list[Configured]:
    """The generators of a request, with the controls of all of them in front."""
    task = request.kind
    controls = _declared_controls("generator", task, plugins, notes)
    always = [card.name for card in controls if card.always_runs]
    chosen = [
        configure("generator", name) for name in dict.fromkeys((*always, *request.generators))
    ]
    if BOTH in request.train:
        further = _further_controls([one.card for one in chosen], controls, task, notes)
        chosen += [configure("generator", name) for name in further]
        baselines = _baselines([one.card for one in chosen], request.generators, notes)
        chosen += [configure("generator", name) for name in baselines]
    return sorted(chosen, key=lambda one: not one.card.control_of)


def _further_controls(
    cards: Sequence[Card], controls: Sequence[Card], task: Task, notes: list[str]
) -> list[str]:
    """Controls that were not asked for and that some generator needs, because it reads unlabelled
    pixels.
    """
    names = {card.name for card in cards}
    arms = [card for card in cards if card.adds and not card.control_of]
    further = []
    for control in controls:
        users = [card.name for card in arms if _measures(control, card, task)]
        if users and control.name not in names:
            reads = "reads" if len(users) == 1 else "read"
            notes.append(
                f"also running {control.name}: {', '.join(users)} {reads} unlabelled pixels,"
                f" and has to beat {control.control_text}"
            )
            further.append(control.name)
    return further


def _baselines(cards: Sequence[Card], asked: Sequence[str], notes: list[str]) -> list[str]:
    """Generators that the cards of those asked for name as the same without their main part."""
    names = {card.name for card in cards}
    users: dict[str, list[str]] = {}
    for card in cards:
        if card.baseline and card.name in asked and card.baseline not in names:
            users.setdefault(card.baseline, []).append(card.name)
    for baseline, generators in users.items():
        notes.append(f"also running {baseline}: {', '.join(generators)} without its main part")
    return list(users)


def _choose_classifiers(
    request: CompleteRequest, generators: Sequence[Configured], plugins: Registry, notes: list[str]
) -> tuple[str, ...]:
    """Names of the classifiers of a request, and of those that are controls of its generators.

    A control of masks is not among these: it may take as long as what it is compared with.
    """
    task = request.kind
    controls = _declared_controls("classifier", task, plugins, notes)
    of_all = [card.name for card in controls if card.control_of == "all"]
    names = tuple(dict.fromkeys((*request.classifiers, *of_all)))
    if BOTH not in request.train:
        return names
    readers = [one.card for one in generators if one.card.scope == "scene"]
    for control in controls:
        seen = [card for card in readers if _measures(control, card, task)]
        if control.control_of != "transductive" or control.name in names or not seen:
            continue
        users = [card.name for card in seen if not card.control_of]
        notes.append(
            f"also running classifier {control.name}, without synthetic samples:"
            f" {', '.join(users or [card.name for card in seen])} has to beat it"
        )
        names += (control.name,)
    return names


def _check_overrides(request: CompleteRequest, chosen: Sequence[Configured]) -> None:
    """Raise InputError for hyper-parameters of a plugin that is not run."""
    names = [one.spec.name for one in chosen]
    for name in request.overrides:
        if name not in names:
            hint = f"Here: {', '.join(names)}."
            raise InputError(
                "`set` must name a plugin of this benchmark", value=repr(name), hint=hint
            )
