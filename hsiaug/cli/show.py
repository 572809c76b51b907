"""``hsiaug report --trial``: one record, and the command that reruns it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from hsiaug.cli.output import (
    console,
    flat_facts,
    print_facts,
    print_json,
    print_lines,
    print_table,
)

if TYPE_CHECKING:
    from pathlib import Path


BY_CLASS = ("class_names", "recall", "real", "synthetic", "n_test", "train_counts", "test_counts")
"""Keys of a record whose lists stand in the table of classes."""
LEFT_OUT = ("format", "traceback", "confusion", "new_confusion", "hidden_confusion", "command")
"""Keys of a record that are told at the end, or in JSON alone."""

ALL_CLASSES = "metrics.aa"
"""The score over every class, which tables of reports name "AA all"."""
EARLIER_FIT = (
    "timings.fit_generator is of a fit that was made before, for another trial or in a run that was"
    " stopped: timings.total lacks it."
)


def show_trial(hash: str, store: Path, *, json: bool = False) -> None:
    """One record: settings, accuracy, audit, times, and the command that reruns it.

    Parameters
    ----------
    hash : str
        Of a record, or its beginning.
    """
    from hsiaug.report.audit import why_more
    from hsiaug.report.commands import to_repeat
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.arm import NONE
    from hsiaug.trial.store import Store

    record = Store(store).find(hash)
    out = console()
    if json:
        print_json(record, indent=1)
        return
    # Values within others as "spec.seed".
    facts = [("hash", record["hash"]), *flat_facts(record, (*LEFT_OUT, "hash"), BY_CLASS)]
    # Reports average AA over the large classes of all splits, which one trial does not know.
    labels = {ALL_CLASSES: f"{ALL_CLASSES} (AA all)"}
    print_facts(out, [(labels.get(name, name), value) for name, value in facts], 32)
    timings = record["timings"]
    if timings.get("fit_generator", 0) > timings.get("total", inf):
        print_lines(out, [EARLIER_FIT])
    if record["error"]:
        print_lines(out, (record["error"]["traceback"] or record["error"]["message"]).splitlines())
    if metrics := record["metrics"]:
        by_class = get_task(record["spec"]["task"]).metrics.by_class
        scores = (
            "not evaluable" if value is None else f"{100 * value:.1f}"
            for value in metrics[by_class.key]
        )
        samples = record["samples"]
        rows = zip(
            record["class_names"],
            samples["real"],
            samples["synthetic"],
            metrics.get("n_test") or record["audit"]["test_counts"],
            scores,
            strict=True,
        )
        print_table(out, ("class", "real", "added", "test", f"{by_class.name} %"), rows)
        if again := why_more(sum(samples["real"]), record["audit"]["n_train"]):
            print_lines(out, [f"real: {again}"])
    command = to_repeat(record["command"], str(store))
    # Without samples there is nothing that a control is run for.
    controls = "" if record["spec"]["generator"]["name"] == NONE else ", with its controls"
    print_lines(out, [f"run it again{controls}, into a new store:", command])
