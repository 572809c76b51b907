"""``hsiaug show``: one record, and the command that reruns it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.text import json_of
from hsiaug.cli import options
from hsiaug.cli.output import console, print_facts, print_json, print_lines, print_table
from hsiaug.core.view_names import AUTO, RAW
from hsiaug.protocol.balance import Rate

if TYPE_CHECKING:
    from hsiaug.trial.record_json import Record

DIAGNOSIS = "; a diagnosis, which reads test labels"


def show(
    hash: Annotated[str, typer.Argument(help="Hash of a record, or its beginning.")],
    store: options.StoreDir = Path("hsiaug-results"),
    json: options.Json = False,
) -> None:
    """Show one record: settings, accuracy, audit, times, and the command that reruns it.

    Examples:
      hsiaug show 3fa9
      hsiaug show 3fa9 --json
    """
    from hsiaug.trial.store import Store

    record, out = Store(store).find(hash), console()
    if json:
        print_json(record, indent=1)
        return
    print_facts(out, _facts(record))
    if record["error"]:
        print_lines(out, (record["error"]["traceback"] or record["error"]["message"]).splitlines())
    if metrics := record["metrics"]:
        recall = ("not evaluable" if one is None else f"{100 * one:.1f}" for one in metrics["recall"])
        samples = record["samples"]
        rows = zip(
            record["class_names"], samples["real"], samples["synthetic"], metrics["n_test"], recall, strict=True
        )
        print_table(out, ("class", "train", "synthetic", "test", "recall %"), rows)
    print_lines(out, ["run it again, with its controls:", record["command"]])


def _facts(record: Record) -> Iterator[tuple[str, object]]:
    spec, metrics, audit = record["spec"], record["metrics"], record["audit"]
    yield "record", record["hash"]
    yield "status", record["status"]
    yield "scene", f"{spec['scene']['name']} (sha256 {spec['scene']['sha256'][:12]}…)"
    protocol = " ".join(map(str, spec["protocol"].values()))
    yield "protocol", f"{protocol}, patch {spec['patch']}, draw {spec['seed']}"
    yield "generator", _plugin(spec["generator"]) + (DIAGNOSIS if spec.get("diagnosis") else "")
    alone = ", trained on synthetic samples alone" if spec.get("train") else ""
    yield "classifier", _plugin(spec["classifier"]) + alone
    yield "spectra", _spectra(spec.get("view", RAW), record.get("spectral_view"))
    yield "λ, ω", f"{Rate.of(spec)}, {'–' if spec['omega'] is None else spec['omega']}"
    if metrics:
        kappa = "–" if metrics["kappa"] is None else f"{100 * metrics['kappa']:.2f}"
        yield "OA / AA / κ", f"{100 * metrics['oa']:.2f} / {100 * metrics['aa']:.2f} / {kappa} (×100)"
    # Older records have no fields.
    for where, meaning in (("seen", "hold training pixels"), ("new", "hold none")):
        scores = ((metrics or {}).get("fields") or {}).get(where)
        if scores and scores["n_classes"]:
            pixels = f"{sum(scores['n_test'])} test pixels of {scores['n_classes']} classes"
            said = f"OA / AA {100 * scores['oa']:.2f} / {100 * scores['aa']:.2f} (×100), {pixels}"
            yield f"{where} fields", f"{said}: fields that {meaning}"
    if audit:
        yield "audit", f"{audit['n_train']} train, {audit['n_test']} test, {audit['n_buffered']} left out"
        yield "overlap", f"centre {audit['centre_overlap_percent']} %, patch {audit['patch_overlap_percent']} %"
    yield from (("note", note) for note in record.get("notes") or ())
    if record["provenance"]:
        yield "provenance", json_of(record["provenance"])
    machine, memory = record["environment"], record["peak_memory_mb"]
    yield "times", ", ".join(f"{name} {seconds:.2f} s" for name, seconds in record["timings"].items()) or None
    yield "peak memory", None if memory is None else f"{memory:.0f} MB"
    yield "device", json_of(record["device"])
    yield "machine", f"{machine['processor']}, {machine['platform']}, Python {machine['python']}"
    yield "versions", ", ".join(f"{name} {v}" for name, v in machine["versions"].items())
    yield "created", record["created"]


def _spectra(asked: str, shown: dict[str, Any] | None) -> str:
    """The spectral view of the classifier, and the scores that it was chosen by."""
    if asked != AUTO or not shown:
        return asked
    scores = ", ".join(f"{name} {100 * score:.1f}" for name, score in shown["scores"].items())
    return f"auto: {shown['name']} (recall of held-out training pixels in %: {scores})"


def _plugin(spec: dict[str, Any]) -> str:
    params = ", ".join(f"{name}={value}" for name, value in spec["params"].items())
    return f"{spec['name']} {spec['version']}" + (f" ({params})" if params else "")
