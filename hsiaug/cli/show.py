"""``hsiaug show``: one record, and the command that reruns it."""

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.output import console, flat_facts, print_facts, print_json, print_lines, print_table

BY_CLASS = ("class_names", "recall", "real", "synthetic", "n_test", "train_counts", "test_counts")
LEFT_OUT = (
    *BY_CLASS,
    "format",
    "traceback",
    "confusion",
    "new_confusion",
    "hidden_confusion",
    "command",
)
"""Keys of a record that are told by class, at the end, or in JSON alone."""


ALL_CLASSES = {"metrics.aa": "metrics.aa (AA all)"}
"""Scores over every class, as tables of reports name them."""


def show(
    hash: Annotated[str, typer.Argument(help="Hash of a record, or its beginning.")],
    store: options.StoreDir = Path(defaults.STORE),
    json: options.Json = False,
) -> None:
    """Show one record: settings, accuracy, audit, times, and the command that reruns it.

    Examples:
      hsiaug show 3fa9
      hsiaug show 3fa9 --json
    """
    from hsiaug.report.commands import to_repeat
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.store import Store

    record = Store(store).find(hash)
    out = console()
    if json:
        print_json(record, indent=1)
        return
    # Values within others as "spec.seed".
    facts = [("hash", record["hash"]), *flat_facts(record, (*LEFT_OUT, "hash"))]
    # One trial does not tell which classes are large in every draw.
    print_facts(out, [(ALL_CLASSES.get(name, name), value) for name, value in facts], 32)
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
        print_table(out, ("class", "train", "synthetic", "test", f"{by_class.name} %"), rows)
    command = to_repeat(record["command"], str(store))
    print_lines(out, ["run it again, with its controls, into a new store:", command])
