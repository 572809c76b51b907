"""Records grouped into tables: one per scene, protocol with its buffer, patch and task."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from math import fsum, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsiaug.metrics.significance import MIN_PAIRS, SMALLEST_GAIN
from hsiaug.protocol.audit import large_classes
from hsiaug.report.formatting import key_labels, tagged
from hsiaug.report.gains import (
    ArmCell,
    ArmGains,
    Gain,
    by_arm,
    gains,
    over_baseline,
    summarise,
    synthetic_only,
)
from hsiaug.report.trials import (
    CellKey,
    Condition,
    DrawKey,
    method_rank,
    numbers,
    objects,
    parts,
    trials_of_records,
    unlike,
)
from hsiaug.tasks.scores import AA_LARGE, RECALL, Metric, MetricSet, over_large
from hsiaug.trial import STORE
from hsiaug.trial.arm import CONTROLS_OF_OLD_RECORDS, NONE, Arm, Control, Method
from hsiaug.trial.record_json import Record
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from pandas import DataFrame

    from hsiaug.trial.record import Damage

WITHOUT = " without samples"
"""Behind a classifier without samples, in sentences."""
ADDED = "added"
"""The protocol of learning curves over added labels."""


@dataclass(frozen=True, eq=False)
class ReportTable:
    """The trials of one condition, in cells: all that a store holds of it on some splits, or those
    of its rows that were asked for. The latter are a filter: every gain, verdict and answer is that
    of the whole.

    Attributes
    ----------
    trials : DataFrame
        All of them, configuration by configuration
        (:func:`hsiaug.report.trials.trials_of_records`), with what :func:`number_draws` and
        :func:`with_large` add.
    every_cell : mapping of CellKey to ArmCell
        (configuration, classifier) → cell, controls first, and those of control classifiers last.
    scores : MetricSet
        The metrics that it shows.
    large : tuple of int
        Ids of the classes that AA_LARGE is over.
    damaged : tuple of Damage
        Records of the store that were left out: what they were of is not to be believed.
    smallest : float
        The smallest gain that matters, a fraction.
    run : str
        Of a suite.
    whole : ReportTable or None
        The table of which this one has some of the rows; None of a whole one.
    """

    title: str
    condition: Condition
    trials: DataFrame
    every_cell: Mapping[CellKey, ArmCell]
    scores: MetricSet
    large: tuple[int, ...]
    damaged: tuple[Damage, ...]
    smallest: float = SMALLEST_GAIN
    run: str = ""
    whole: ReportTable | None = None

    @property
    def complete(self) -> ReportTable:
        """The table of all that the store holds of its condition on its splits."""
        return self.whole or self

    def only(self, keep: Callable[[ArmCell], bool], run: str = "") -> ReportTable:
        """Some of the rows, whole cells each.

        Parameters
        ----------
        run : str
            Of a suite.
        """
        cells = {key: cell for key, cell in self.every_cell.items() if keep(cell)}
        rows = [hash for cell in cells.values() for hash in cell.trials["hash"]]
        return replace(
            self,
            title=f"{run}: {self.title}" if run else self.title,
            trials=self.trials[self.trials["hash"].isin(rows)],
            every_cell=cells,
            run=run,
            whole=self.complete,
        )

    # What it is about

    @property
    def heading(self) -> str:
        """The title, with the tags of a leaky protocol and of a transductive method."""
        return tagged(self.title, self.leaky, self.transductive)

    @cached_property
    def labels(self) -> Mapping[Method, str]:
        """What tables call each generator and classifier."""
        return key_labels(self.complete.every_cell)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the class ids 1..C."""
        # A trial whose process died left no names.
        found = unlike(self.complete.trials["class_names"])
        return next((tuple(names) for names in found if names), ())

    @property
    def known_controls(self) -> Mapping[str, Control]:
        """Every control by name: those of old records, and what those of the table declare."""
        return next(iter(self.complete.every_cell.values())).known_controls

    @cached_property
    def cells(self) -> Mapping[CellKey, ArmCell]:
        """The cells without those of the control classifiers."""
        return {key: cell for key, cell in self.every_cell.items() if not cell.is_blind}

    @property
    def blind(self) -> tuple[ArmCell, ...]:
        """The cells of these: accuracy without spectra."""
        return tuple(cell for cell in self.every_cell.values() if cell.is_blind)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The rows, controls first."""
        return tuple(dict.fromkeys(arm for arm, _ in self.cells))

    @cached_property
    def classifiers(self) -> tuple[Method, ...]:
        """The columns, by name."""
        return tuple(sorted({by for _, by in self.cells}, key=method_rank))

    @property
    def guided(self) -> bool:
        """True where any trial has an ω."""
        return any(arm.omega is not None for arm, _ in self.complete.every_cell)

    @property
    def multiplied(self) -> bool:
        """True where any trial has an M."""
        return any(arm.rate.times for arm, _ in self.complete.every_cell)

    @property
    def failed(self) -> DataFrame:
        """Failed trials, those of control classifiers too."""
        return self.trials[self.trials["failed"]]

    @property
    def transductive(self) -> bool:
        """True where any trial learned from unlabelled pixels of the whole scene, test pixels
        included.
        """
        return any(unlike(self.trials["transductive"]))

    # Its splits

    @cached_property
    def splits(self) -> dict[DrawKey, Mapping[str, Any]]:
        """The audit of every split that the trials used, by its first seed and its checksum."""
        pairs = zip(self.trials["draw"], self.trials["audit"], strict=True)
        found = {draw: audit for draw, audit in pairs if audit is not None}
        return {draw: found[draw] for draw in sorted(found)}

    @cached_property
    def draws(self) -> tuple[int, ...]:
        """Every split that some cell has, failed or not, by its first seed: what a full cell
        covers.
        """
        cells = self.complete.cells.values() or self.complete.blind
        return tuple(sorted({seed for cell in cells for seed, _ in unlike(cell.trials["draw"])}))

    @property
    def leaky(self) -> bool:
        """True where any split's audit says so."""
        return any(audit.get("leaky") for audit in self.complete.splits.values())

    @cached_property
    def repeated(self) -> tuple[tuple[int, ...], ...]:
        """Seeds that drew the same split, for each split that several seeds drew."""
        seeds: dict[DrawKey, set[int]] = {}
        for draw, seed in zip(self.trials["draw"], self.trials["seed"], strict=True):
            seeds.setdefault(draw, set()).add(seed)
        return tuple(
            tuple(sorted(seeds[draw])) for draw in sorted(seeds) if draw[1] and len(seeds[draw]) > 1
        )

    @cached_property
    def lacking(self) -> dict[ArmCell, int]:
        """The cells that were not begun on every split, of a run that goes on or was stopped, with
        how many splits they have.
        """
        begun = {
            cell: len({draw for draw, _ in unlike(cell.trials["draw"])})
            for cell in self.every_cell.values()
        }
        return {cell: n for cell, n in begun.items() if n < len(self.draws)}

    # Its metrics

    @cached_property
    def fields(self) -> tuple[Metric, ...]:
        """The metrics of seen and of new fields, and of shown and of hidden test pixels; none where
        no trial has any.
        """
        parts = {"new": self.scores.fields, "hidden": self.scores.visibility}
        return tuple(
            metric
            for part, metrics in parts.items()
            for metric in metrics
            if not np.isnan(numbers(self.trials, f"has_{part}")).all()
        )

    @property
    def brief_fields(self) -> tuple[Metric, ...]:
        """Scores in fields that every table has: AA."""
        return tuple(metric for metric in self.fields if metric.key.startswith("aa_"))

    @property
    def brief(self) -> tuple[Metric, ...]:
        """The metrics of its task, and those in fields that every table has."""
        return (*self.scores.shown, *self.brief_fields)

    @property
    def subsets(self) -> tuple[Metric, ...]:
        """The AA over fixed classes that some trial reports."""
        named = (
            name
            for name in self.trials
            if name.startswith("subset:") and self.trials[name].notna().any()
        )
        return tuple(Metric(name, name.replace("subset:", "AA ")) for name in named)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric that it shows."""
        return (*self.scores.shown, *self.scores.more, *self.fields, *self.subsets)

    @property
    def class_metrics(self) -> tuple[Metric, ...]:
        """The metrics of each class that some trial has: that of its task, and recall. At least
        the first.
        """
        both = dict.fromkeys((self.scores.by_class, RECALL))
        there = tuple(one for one in both if f"{one.key}:1" in self.trials)
        return there or (self.scores.by_class,)

    # Its configurations, by their scores

    @cached_property
    def main_scores(self) -> Mapping[ArmCell, float]:
        """The mean of the main score of every cell in which a trial has it."""
        means = {cell: cell.summary(self.scores.main.key) for cell in self.cells.values()}
        return {cell: mean.mean for cell, mean in means.items() if mean}

    @cached_property
    def comparable(self) -> Mapping[ArmCell, float]:
        """The main score of the configurations of which it can be said that one has the highest:
        its mean over the splits that all of them have. Configurations that share too few splits
        with those of most are left out: fewer than half, or than take a test.
        """
        drawn = {cell: set(cell.ok["draw_number"]) for cell in self.main_scores}
        most = max((len(cell.ok) for cell in self.cells.values()), default=0)
        enough = min(most, max(MIN_PAIRS, (most + 1) // 2))
        shared = set[int]()
        compared = set[ArmCell]()
        for cell in sorted(drawn, key=lambda cell: -len(drawn[cell])):
            both = drawn[cell] & shared if compared else drawn[cell]
            if len(both) >= enough:
                shared = both
                compared.add(cell)
        key = self.scores.main.key
        means = {
            cell: summarise(cell.column(key)[cell.ok["draw_number"].isin(shared)])
            for cell in self.main_scores
            if cell in compared
        }
        return {cell: mean.mean for cell, mean in means.items() if mean}

    def score_rank(self, cell: ArmCell) -> tuple[bool, float]:
        """Largest for the configuration with the highest main score; those that are comparable come
        before all others.
        """
        if cell in self.comparable:
            return True, self.comparable[cell]
        return False, self.main_scores.get(cell, -inf)

    def cells_of(self, classifier: Method) -> list[ArmCell]:
        """The cells of a classifier, controls first."""
        return [cell for (_, c), cell in self.cells.items() if c == classifier]

    @property
    def by_classifier(self) -> list[ArmCell]:
        """Every cell: classifier by classifier, controls first."""
        return [cell for classifier in self.classifiers for cell in self.cells_of(classifier)]

    def reference(self, classifier: Method) -> ArmCell | None:
        """The cell of ``none``, which every generator at λ = M = 0 is; the one of most splits where
        there are several.
        """
        cells = [cell for cell in self.cells_of(classifier) if cell.without_samples and cell.tried]
        return max(cells, key=lambda cell: len(cell.ok), default=None)

    # Their gains

    @cached_property
    def gains(self) -> list[Gain]:
        """What every configuration gains over each of its controls."""
        if self.whole:
            return [gain for gain in self.whole.gains if gain.cell.key in self.cells]
        return gains(self.cells, self.scores, self.smallest)

    @property
    def compared(self) -> list[Gain]:
        """The gains over controls that share a split."""
        return [gain for gain in self.gains if gain.draws]

    @cached_property
    def over_baselines(self) -> list[Gain]:
        """What the main part of a generator adds to the same without it, where that is no control
        of it.
        """
        whole = over_baseline(self.complete.cells, self.scores, self.smallest)
        shown = [gain for gain in whole if gain.cell.key in self.cells and gain.draws]
        return [gain for gain in shown if gain.control not in gain.cell.required]

    @cached_property
    def by_arm(self) -> Mapping[CellKey, ArmGains]:
        """The gains by (configuration, classifier), and by the name of the control."""
        return by_arm(self.gains)

    @property
    def judged(self) -> tuple[ArmGains, ...]:
        """The configurations that have a verdict: every one but ``none`` and ``duplicate``, with
        every classifier.
        """
        return tuple(arm for arm in self.by_arm.values() if arm[NONE].verdict is not None)

    @cached_property
    def by_gain(self) -> tuple[ArmGains, ...]:
        """The judged configurations in the order in which every table and figure of gains has them:
        that of the highest main score first.
        """
        compared = (arm for arm in self.judged if any(row.draws for row in arm.values()))
        return tuple(
            sorted(compared, key=lambda arm: self.score_rank(arm[NONE].cell), reverse=True)
        )

    @cached_property
    def synthetic_only(self) -> Mapping[CellKey, ArmGains]:
        """The configurations of synthetic samples alone, against real ones alone and against
        both.
        """
        if self.whole:
            return {key: one for key, one in self.whole.synthetic_only.items() if key in self.cells}
        return by_arm(synthetic_only(self.cells, self.scores))

    def against(self, cell: ArmCell) -> ArmGains:
        """The gains of a cell by control; none of ``none`` and of control classifiers."""
        return self.by_arm.get(cell.key) or self.synthetic_only.get(cell.key) or {}

    # Their names

    def arm_label(self, arm: Arm, *, brief: bool = False) -> str:
        """``smote λ=0.5 M=3 ω=1``: a configuration in running text.

        Parameters
        ----------
        brief : bool
            Without the λ and M, and the ω, that all configurations with samples share.
        """
        rated = bool(arm.rate) or arm.generator.name != NONE
        guided = arm.omega is not None
        if brief:
            rated = len({one.rate for one in self.arms if one.generator.name != NONE}) > 1
            guided = guided and len({one.omega for one in self.arms} - {None}) > 1
        words = [self.labels[arm.generator]]
        if rated:
            words.append(arm.rate.words)
        if guided:
            words.append(f"ω={arm.omega:g}")
        return " ".join(words)

    def cell_label(self, cell: ArmCell, *, brief: bool = False) -> str:
        """``smote λ=0.5 ω=1 with svm``.

        Parameters
        ----------
        brief : bool
            As of :meth:`arm_label`.
        """
        return f"{self.arm_label(cell.arm, brief=brief)} with {self.labels[cell.classifier]}"

    def cell_words(self, cell: ArmCell, *, brief: bool = False) -> str:
        """The same in a sentence, where one without samples is ``svm without samples``."""
        if cell.without_samples:
            return f"{self.labels[cell.classifier]}{WITHOUT}"
        return self.cell_label(cell, brief=brief)


@dataclass(frozen=True)
class Report:
    """Every table that a set of records gives.

    Attributes
    ----------
    store : str or None
        How the user names the records' folder, if known.
    damaged : tuple of Damage
        Records that were left out.
    """

    tables: tuple[ReportTable, ...]
    store: str | None = None
    damaged: tuple[Damage, ...] = ()

    @property
    def compared(self) -> tuple[ReportTable, ...]:
        """The tables in which configurations are compared: points of learning curves stand in
        their curves alone.
        """
        return tuple(table for table in self.tables if table.condition.protocol != ADDED)

    @property
    def shown(self) -> tuple[ReportTable, ...]:
        """The tables in which configurations are compared; all of a report that has nothing
        else.
        """
        return self.compared or self.tables

    @property
    def option(self) -> str:
        """The option that names the store, with a blank before it; empty for the usual one."""
        return "" if self.store == STORE else f" --store {self.where}"

    @property
    def where(self) -> str:
        """The store as an argument of commands, quoted for the shell."""
        return shlex.quote(self.store) if self.store else "STORE"

    def open_store(self) -> Store | None:
        """The records' folder, for what tables do not hold; None where it is not known."""
        return None if self.store is None else Store(Path(self.store))


def build_report(
    records: Iterable[Record] | DataFrame,
    *,
    store: str | None = None,
    runs: Mapping[str, Collection[str]] | None = None,
    keep: Callable[[ArmCell], bool] | None = None,
    seeds: Collection[int] = (),
    damaged: Iterable[Damage] = (),
    smallest: float = SMALLEST_GAIN,
) -> Report:
    """Group records into tables and compute every comparison; nothing but the records is read.

    The comparisons of a table are those of *all* configurations among the records of its condition
    on its splits. Which rows are asked for, by ``runs`` or ``keep``, changes what is shown alone.
    The records are taken at their word: those of a file are checked by
    :meth:`hsiaug.trial.store.Store.read`.

    Parameters
    ----------
    records : iterable of Record or DataFrame
        All that a store holds.
    store : str or None
        The folder they came from, as the user typed it, for the lines that lead back to it.
    runs : mapping of str to collection of str or None
        Hashes of the trials of a benchmark, or of each run of a suite by its name. A trial that no
        run names is not shown; it counts among the comparisons where its splits are those of a run.
    keep : callable or None
        Whether a cell is shown.
    seeds : collection of int
        The splits in question; none: all.
    damaged : iterable of Damage
        What the store left out, to be named with every table.
    smallest : float
        The smallest gain that matters, a fraction.

    Raises
    ------
    StoreError
        For a record that is not as in docs/results-format.md.
    """
    from pandas import DataFrame

    left_out = tuple(damaged)
    tables: list[ReportTable] = []
    every = records if isinstance(records, DataFrame) else trials_of_records(records)
    if seeds:
        every = every[every["seed"].isin(list(seeds))]
    groups = {part["condition"].iloc[0]: part for part in parts(every, "table")}
    everything: Mapping[str, Collection[str] | None] = {"": None}
    known: dict[tuple[Condition, frozenset[int]], ReportTable] = {}
    # The points of learning curves last: one of them says little alone.
    for condition in sorted(groups, key=lambda c: (c.protocol == ADDED, *astuple(c))):
        group = groups[condition]
        for run, hashes in (runs or everything).items():
            of_run = group if hashes is None else group[group["hash"].isin(list(hashes))]
            if of_run.empty:
                continue
            drawn = frozenset(of_run["seed"].tolist())
            if (condition, drawn) not in known:
                on_these = group[group["seed"].isin(list(drawn))]
                title = _title(condition, groups)
                whole = _table(title, condition, on_these, left_out, smallest)
                known[condition, drawn] = whole
            tables.append(_rows_asked(known[condition, drawn], run, hashes, keep))
    return Report(tuple(table for table in tables if table.every_cell), store, left_out)


def _rows_asked(
    whole: ReportTable,
    run: str,
    hashes: Collection[str] | None,
    keep: Callable[[ArmCell], bool] | None,
) -> ReportTable:
    """The rows of a table that are asked for; the table itself where these are all."""
    asked = None if hashes is None else set(hashes)

    def shown(cell: ArmCell) -> bool:
        of_run = asked is None or not asked.isdisjoint(cell.trials["hash"])
        return of_run and (keep is None or keep(cell))

    if not run and all(map(shown, whole.every_cell.values())):
        return whole
    return whole.only(shown, run)


def _table(
    title: str,
    condition: Condition,
    trials: DataFrame,
    damaged: tuple[Damage, ...],
    smallest: float,
) -> ReportTable:
    """The table of all trials of one condition."""
    trials, scores, large = with_main_score(trials, condition.task)
    trials = number_draws(trials)
    cells = make_cells(trials)
    # Those of control classifiers last; a sort keeps the order of equals.
    every_cell = dict(sorted(cells.items(), key=lambda item: item[1].is_blind))
    return ReportTable(title, condition, trials, every_cell, scores, large, damaged, smallest)


def number_draws(trials: DataFrame, *, by_seed: bool = False) -> DataFrame:
    """The trials of one condition with ``draw`` (the first seed that drew the split, and the
    checksum of this), its number ``draw_number``, and ``used``: those that enter a mean.

    Trials on the same pixels are of the same split, whatever their seeds, unless each seed is to be
    one. Of each configuration, classifier and draw the first that went well is used.
    """
    seeds, splits = trials["seed"], trials["split"]
    if not by_seed:
        # Of trials without a split nothing is known but their own seed.
        seeds = seeds.where(splits == "", trials.groupby("split")["seed"].transform("min"))
    draws = trials.groupby([seeds.rename("first"), "split"])
    trials = trials.assign(draw_number=draws.ngroup())
    trials["draw"] = objects(draws.size().index.tolist(), trials["draw_number"].to_numpy())
    ok = trials.loc[trials["ok"], ["cell", "draw_number"]]
    trials["used"] = trials.index.isin(ok.drop_duplicates().index)
    return trials


def with_main_score(trials: DataFrame, task: str) -> tuple[DataFrame, MetricSet, tuple[int, ...]]:
    """The trials of a table with its main score, the metrics that it shows, and the ids of the
    classes that the main score is over; no id where these are all classes.
    """
    from hsiaug.tasks.task import get_task

    audits = [audit for audit in unlike(trials["audit"]) if audit is not None]
    large, tested = large_classes(audit["test_counts"] for audit in audits)
    scores = over_large(get_task(task).metrics, len(large), tested)
    if scores.main.key != AA_LARGE:
        return trials, scores, ()
    return with_large(trials, large), scores, large


def with_large(trials: DataFrame, large: Sequence[int]) -> DataFrame:
    """The trials with AA_LARGE: AA over these classes alone."""
    recalls = (numbers(trials, f"recall:{c}").tolist() for c in large)
    sums = np.fromiter(map(fsum, zip(*recalls, strict=True)), np.float64)
    return trials.assign(**{AA_LARGE: sums / len(large)})


def make_cells(trials: DataFrame) -> dict[CellKey, ArmCell]:
    """Trials of a table, which are in order, by configuration and classifier, controls first."""
    trials_of_cells = {
        (part["arm"].iloc[0], part["classifier"].iloc[0]): part for part in parts(trials, "cell")
    }
    known = _known_controls(trials_of_cells)
    return {key: ArmCell(*key, part, known) for key, part in trials_of_cells.items()}


def _known_controls(trials_of_cells: Mapping[CellKey, DataFrame]) -> dict[str, Control]:
    """Every control by name: those of old records, and what those of the trials declare."""
    known = dict(CONTROLS_OF_OLD_RECORDS)
    for (arm, classifier), trials in trials_of_cells.items():
        names = {"generator": arm.generator.name, "classifier": classifier.name}
        pairs = zip(trials["control_of"], trials["control_text"], strict=True)
        for declared, texts in {(id(of), id(text)): (of, text) for of, text in pairs}.values():
            for kind, of in (declared or {}).items():
                name = names[kind]
                older = known[name].text if name in known else ""
                known[name] = Control(kind, of, (texts or {}).get(kind) or older)
    return known


def _title(condition: Condition, others: Iterable[Condition]) -> str:
    """What the trials share, with checksums only where another condition would read the same."""
    from hsiaug.tasks.task import get_task

    def title(c: Condition, *, full: bool) -> str:
        argument = c.argument if full else c.argument.split("#")[0]
        protocol = f"{c.protocol}:{argument}" if argument else c.protocol
        buffer = "no buffer" if c.buffer == "none" else f"{c.buffer} buffer"
        size = f"{c.patch}×{c.patch} {get_task(c.task).metrics.parts}"
        parts = [c.scene, protocol, buffer, size, c.task.replace("-", " ").replace("_", " ")]
        if full:
            parts += [f"scene {c.scene_sha256[:12]}", c.rest]
        return ", ".join(part for part in parts if part != "{}")

    short = title(condition, full=False)
    alike = sum(title(other, full=False) == short for other in others)
    return short if alike == 1 else title(condition, full=True)
