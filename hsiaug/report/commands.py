"""Commands that run again what a store holds, made of the commands of its records.

Those that run all of it write into a new store: in the one that they are of, every trial is there
already.
"""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.base.text import seeds_option
from hsiaug.metrics.significance import USUAL_DRAWS
from hsiaug.report.gains import ArmCell
from hsiaug.trial.arm import CONTROLS_OF_ALL
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from hsiaug.report.tables import ReportTable

Options = dict[str, list[str]]
"""Values by option, in the order of the command."""
FRESH = 400
"""Draws that a benchmark chose on lie below this number, and fresh ones begin there."""
FRESH_STORE = "fresh-draws"
OF_A_RUN = ("--existing", "--seeds", "--store")
"""Options that change no trial."""
LISTED = ("--generator", "--classifier", "--lambda", "--times", "--omega", "--set")
"""Options that differ between the arms of one benchmark."""


def to_repeat(command: str, store: str) -> str:
    """The command of a record, into a new store beside the one that holds the record.

    Parameters
    ----------
    command : str
        As the record says it; older records have ``--existing all``, which would replace them.
    store : str
        Folder of the record.
    """
    start, options = _parsed(command)
    if not options:  # of another program: nothing is known of its options
        return command
    options.pop("--existing", None)
    return _joined(start, {**options, "--store": [_beside(store)]})


def arm_commands(keys: Mapping[ArmCell, str], store: Store | None) -> dict[str, str]:
    """The command that runs the draws of each arm again, by the name of the arm.

    Parameters
    ----------
    keys : dict
        Names of arms within the page.
    store : Store or None
        Where the records lie; without it there are no commands.
    """
    if store is None:
        return {}
    commands = {}
    for cell, key in keys.items():
        if command := _of_all_draws(cell, store):
            commands[key] = command
    return commands


def table_commands(table: ReportTable, store: Store | None) -> list[str]:
    """The commands that run all trials of a table again: one, or several where arms differ in more
    than one benchmark can name, as in the λ of each generator.

    Parameters
    ----------
    store : Store or None
        Where the records lie; without it there are no commands.
    """
    if store is None:
        return []
    # What comes along as a control is not named: of classifiers those that look at no spectrum, and
    # those of arms that read unlabelled pixels.
    unasked = {
        name
        for name, one in table.known_controls.items()
        if table.transductive and one.of_transductive
    }
    cells = [cell for cell in table.cells.values() if cell.classifier.name not in unasked]
    sampled = {cell.classifier for cell in cells if cell.arm.generator.name not in CONTROLS_OF_ALL}
    # The controls of all arms come along with any other arm of their classifier.
    named = [
        cell
        for cell in cells
        if cell.classifier not in sampled or cell.arm.generator.name not in CONTROLS_OF_ALL
    ]
    return one_for_all(command for cell in named if (command := _of_all_draws(cell, store)))


def to_repeat_all(tables: Iterable[ReportTable], store: Store | None) -> str:
    """How all trials of some tables are run again, in words; empty where no record says it.

    Parameters
    ----------
    store : Store or None
        As of :func:`table_commands`.
    """
    commands = [command for table in tables for command in table_commands(table, store)]
    return "all trials, into a new store: " + "; then: ".join(commands) if commands else ""


def one_for_all(commands: Iterable[str]) -> list[str]:
    """As few commands as run what all of these run, and nothing else."""
    arms: dict[Hashable, dict[str, list[_Arm]]] = {}
    variants: dict[str, list[tuple[str, ...]]] = {}
    for arm in map(_arm, commands):
        key = (arm.rest, *(_variant(variants, name, arm.settings) for name in arm.plugins))
        arms.setdefault(key, {}).setdefault(arm.classifier, []).append(arm)
    merged = []
    for of_classifiers in arms.values():
        alike: dict[Hashable, list[list[_Arm]]] = {}
        for several in of_classifiers.values():
            alike.setdefault(frozenset(arm.made for arm in several), []).append(several)
        for same in alike.values():
            merged += _of_generators([arm for several in same for arm in several])
    return [_joined(*one) for one in merged]


@dataclass(frozen=True)
class _Arm:
    """What the command of an arm names.

    Attributes
    ----------
    rest : str
        The command without LISTED.
    settings : tuple of str
        Values of ``--set``.
    """

    rest: str
    generator: str
    classifier: str
    rate: tuple[str, str]
    omega: str | None
    settings: tuple[str, ...]

    @property
    def plugins(self) -> tuple[str, str]:
        return self.generator, self.classifier

    @property
    def made(self) -> tuple[object, ...]:
        """Generator, rate and ω."""
        return self.generator, self.rate, self.omega


def _arm(command: str) -> _Arm:
    start, options = _parsed(command)
    listed = {name: options.pop(name, []) for name in LISTED}
    (generator,), (classifier,) = listed["--generator"], listed["--classifier"]
    rate = (listed["--lambda"][0], (listed["--times"] or ["0"])[0])
    omega = listed["--omega"][0] if listed["--omega"] else None
    settings = tuple(listed["--set"])
    return _Arm(_joined(start, options), generator, classifier, rate, omega, settings)


def _variant(known: dict[str, list[tuple[str, ...]]], name: str, settings: Iterable[str]) -> int:
    """Which one of the settings of a plugin these are: one command has one of each plugin."""
    own = tuple(text for text in settings if text.startswith(f"{name}."))
    variants = known.setdefault(name, [])
    if own not in variants:
        variants.append(own)
    return variants.index(own)


def _of_generators(arms: Sequence[_Arm]) -> list[tuple[list[str], Options]]:
    """Commands of arms that differ in LISTED alone, and have the same with every classifier."""
    by_generator: dict[str, list[_Arm]] = {}
    for arm in arms:
        by_generator.setdefault(arm.generator, []).append(arm)
    groups: dict[Hashable, list[_Arm]] = {}
    omegas = {frozenset(arm.omega for arm in several) for several in by_generator.values()}
    guided = sorted((some for some in omegas if some != {None}), key=sorted)
    for several in by_generator.values():
        of_these = frozenset(arm.omega for arm in several)
        # A generator that takes no guidance stands beside any ω.
        asked = guided[0] if of_these == {None} and guided else of_these
        rates = frozenset(arm.rate for arm in several)
        lambdas, times = ({rate[i] for rate in rates} for i in (0, 1))
        full = len(rates) == len(lambdas) * len(times)
        for rate in [rates] if full else [frozenset([one]) for one in sorted(rates)]:
            some = [arm for arm in several if arm.rate in rate]
            groups.setdefault((rate, asked), []).extend(some)
    return [_of_group(group) for group in groups.values()]


def _of_group(arms: Sequence[_Arm]) -> tuple[list[str], Options]:
    start, rest = _parsed(arms[0].rest)
    values = {
        "--generator": [arm.generator for arm in arms],
        "--classifier": [arm.classifier for arm in arms],
        "--lambda": [arm.rate[0] for arm in arms],
        "--times": [arm.rate[1] for arm in arms],
        "--omega": [arm.omega for arm in arms if arm.omega is not None],
    }
    listed = {name: [",".join(dict.fromkeys(some))] for name, some in values.items() if some}
    settings = list(dict.fromkeys(text for arm in arms for text in arm.settings))
    return start, {**listed, **({"--set": settings} if settings else {}), **rest}


def _fresh_draws(table: ReportTable) -> range:
    """Draws that took no part in choosing an arm; none where seeds of the table drew the same
    pixels, as a protocol with few divisions has no others, and where draws divide the same images.
    """
    if table.divides_images:
        return range(0)
    first = FRESH * (1 + max(table.trials["seed"].tolist()) // FRESH)
    number = 0 if table.repeated else max(USUAL_DRAWS, len(table.draws))
    return range(first, first + number)


def on_fresh_draws(cell: ArmCell, table: ReportTable) -> str:
    """The command that runs an arm on draws that took no part in choosing it, into a store of
    their own; empty where there are none, and where no record says it.
    """
    draws = _fresh_draws(table)
    return _on(_said(cell), draws, FRESH_STORE) if draws else ""


def fresh_options(table: ReportTable) -> str:
    """Options of a benchmark on such draws; empty where there are none."""
    draws = _fresh_draws(table)
    return _drawn(draws, FRESH_STORE) if draws else ""


def missing_commands(table: ReportTable, where: str) -> list[str]:
    """The commands that run the draws that arms of a table lack, into the store of the others.

    Parameters
    ----------
    where : str
        What to type for the store.
    """
    # All draws that any arm lacks: what is there already is not run again.
    seeds = {seed for one in table.lacking for seed in one.seeds}
    # No samples come along with any other arm of their classifier.
    more = {one.classifier for one in table.lacking if not one.cell.without_samples}
    said = [
        _said(one.cell) if one.draws else _of_both(one.cell, table.cells_of(one.classifier)[0])
        for one in table.lacking
        if not one.cell.without_samples or one.classifier not in more
    ]
    commands = (_on(one, sorted(seeds), where) for one in said)
    return one_for_all(command for command in commands if command)


def _said(cell: ArmCell) -> str:
    """The command of one of its trials."""
    return str(cell.trials["command"].iloc[0])


def _of_both(arm: ArmCell, classifier: ArmCell) -> str:
    """The command of an arm that ran with another classifier alone, with that of a cell."""
    start, options = _parsed(_said(classifier))
    _, made = _parsed(_said(arm))
    parts = {"--generator": made, "--classifier": options}
    settings = [
        text
        for option, said in parts.items()
        for text in said.get("--set", ())
        if text.startswith(f"{said.get(option, [''])[0]}.")
    ]
    of_arm = {name: made[name] for name in LISTED if name != "--classifier" and name in made}
    rest = {name: values for name, values in options.items() if name not in LISTED}
    one = {**of_arm, "--classifier": options.get("--classifier", []), "--set": settings}
    return _joined(start, {**one, **rest})


def _of_all_draws(cell: ArmCell, store: Store) -> str:
    """The command of an arm on all its draws, into a new store; empty where no record says it."""
    return _on(_said(cell), cell.trials["seed"].tolist(), shlex.quote(_beside(str(store.root))))


def _beside(store: str) -> str:
    """The folder of a new store."""
    return f"{store.rstrip('/')}-again"


def _on(command: str, seeds: Iterable[int], where: str) -> str:
    """The command of a trial on some draws, into a store; empty where no record says it.

    Parameters
    ----------
    where : str
        What to type for the store.
    """
    start, options = _parsed(command)
    if not {"--generator", "--classifier", "--lambda"} <= {*options}:
        return ""
    asked = {name: values for name, values in options.items() if name not in OF_A_RUN}
    return f"{_joined(start, asked)} {_drawn(seeds, where)}"


def _drawn(seeds: Iterable[int], where: str) -> str:
    return f"--seeds {seeds_option(seeds)} --store {where}"


def _parsed(command: str) -> tuple[list[str], Options]:
    """The words before the first option, and the values of each option; none of a text that is not
    made of options with a value each.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return [command], {}
    first = next((i for i, word in enumerate(words) if word.startswith("--")), len(words))
    names, values = words[first::2], words[first + 1 :: 2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        return words, {}
    options: Options = {}
    for name, value in zip(names, values, strict=True):
        options.setdefault(name, []).append(value)
    return words[:first], options


def _joined(start: Sequence[str], options: Options) -> str:
    pairs = ([name, value] for name, values in options.items() for value in values)
    return shlex.join([*start, *(word for pair in pairs for word in pair)])
