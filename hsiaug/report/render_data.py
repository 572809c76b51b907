"""Reports for machines: CSV with one row per trial, and strict JSON with the hashes of every cell."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hsiaug.base.text import json_of, spreadsheet_text, visible
from hsiaug.metrics.significance import MeanStd, mean_std, t_interval
from hsiaug.report.compare import Comparison
from hsiaug.report.findings import headline, verdict_text
from hsiaug.report.matrix import Matrix, matrices, over_none
from hsiaug.report.notes import table_notes, transductive
from hsiaug.report.records import ArmCell, Trial
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Arm, Method
from hsiaug.trial.record_json import why_failed

AUDITED = (
    "leaky", "radius", "n_train", "n_test", "n_buffered", "centre_overlap_percent", "patch_overlap_percent"
)  # fmt: skip


def report_json(report: Report) -> dict[str, Any]:
    """The whole report as plain values: scores as fractions, None where there is no number, hashes everywhere."""
    answer = {
        "format": 1,
        "unit": "fraction",
        "store": report.store,
        "tables": [_table_json(table) for table in report.tables],
        "across_scenes": [_pool_json(matrix) for matrix in matrices(report) if matrix.pooled],
        "damaged": [{"hash": damage.hash, "fault": damage.fault} for damage in report.damaged],
    }
    return _strict(answer)  # type: ignore[no-any-return]


def json_text(report: Report, by: str = "") -> str:
    """``report_json`` as strict JSON: no NaN, no Infinity; for ``by="labels"`` with the label equivalents."""
    answer = report_json(report)
    if by == "labels":
        from hsiaug.report.views_labels import curves_json, curves_of

        answer |= {"labels": _strict(curves_json(curves_of(report)))}
    return json_of(answer, indent=2) + "\n"


def _strict(value: Any) -> Any:
    """Plain JSON values; a number that JSON cannot write becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _strict(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pool_json(matrix: Matrix) -> dict[str, Any]:
    """Gains over none on several scenes, as fractions."""
    arms = [
        {
            "arm": row.label.replace(", ", " with "),
            "gains": [(over := over_none(gain)) and over.main.mean for gain in row.gains],
            "mean": row.pooled.mean,
            "interval95": row.pooled.interval,
            "prediction95": row.pooled.prediction,
            "n_scenes": row.pooled.scenes,
        }
        for row in matrix.pooled
        if row.pooled
    ]
    tables = matrix.tables
    return {"run": tables[0].run or None, "scenes": [t.condition.scene for t in tables], "arms": arms}


def _table_json(table: Table) -> dict[str, Any]:
    condition = table.condition
    return {
        "run": table.run or None,
        "title": table.title,
        "task": condition.task,
        "scene": {"name": condition.scene, "sha256": condition.scene_sha256},
        "protocol": {
            "name": condition.protocol,
            "argument": condition.argument or None,
            "buffer": condition.buffer,
        },
        "patch": condition.patch,
        "other_settings": json.loads(condition.rest),
        "margin": table.scores.margin,
        "leaky": table.leaky,
        "transductive": transductive(table),
        "seeds": table.draws,
        "class_names": table.class_names,
        "trials": len(table.trials),
        "failed": [{**_identity(trial), "why": why_failed({"error": trial.error})} for trial in table.failed],
        "notes": table_notes(table),
        "headline": headline(table),
        "splits": [{"seed": seed, **audit} for (seed, _), audit in table.splits.items()],
        "without_spectra": [_cell_json(table, cell) for cell in table.blind],
        "cells": [_cell_json(table, cell) for cell in table.cells.values()],
    }


def _arm_json(arm: Arm) -> dict[str, Any]:
    return {"train": arm.generator.train, "lambda": arm.rate.lam, "times": arm.rate.times, "omega": arm.omega}


def _cell_json(table: Table, cell: ArmCell) -> dict[str, Any]:
    gain, best = table.gain(cell), table.over_best.get((cell.arm, cell.classifier))
    return {
        "generator": _method_json(table, cell.arm.generator),
        **_arm_json(cell.arm),
        "classifier": _method_json(table, cell.classifier),
        "n": len(cell.ok),
        "seeds": [trial.seed for trial in cell.ok],
        "hashes": [trial.hash for trial in cell.ok],
        "failed_hashes": [trial.hash for trial in cell.failed],
        "metrics": {metric.key: _summary_json(cell.values(metric.key)) for metric in table.metrics},
        "classes": [
            {"id": i, "name": name, **_summary_json(cell.recalls(i))}
            for i, name in enumerate(table.class_names, start=1)
        ],
        "against": {control: _comparison_json(table, found) for control, found in table.against(cell).items()},
        "failed_draws": len(cell.failed),
        "nothing_made_draws": len(cell.idle),
        "verdict": (gain.verdict.finding if gain.verdict else "control") if gain else None,
        "verdict_text": verdict_text(table, gain) if gain else None,
        "over_best_without_samples": best
        and {
            "classifier": table.labels[best.classifier],
            "shown": best.shown,
            **(_comparison_json(table, best.comparison) or {}),
        },
    }


def _method_json(table: Table, method: Method) -> dict[str, Any]:
    return {
        "label": table.labels[method],
        "name": method.name,
        "version": method.version,
        "params": json.loads(method.params),
        "omega_convention": method.convention,
        "view": method.view,
    }


def _summary_json(values: list[float]) -> dict[str, Any]:
    interval = t_interval(values) if values else None
    return {**mean_json(mean_std(values) if values else None), "interval95": interval}


def mean_json(summary: MeanStd | None) -> dict[str, Any]:
    """Mean, std and n; null where there is no number."""
    return summary._asdict() if summary else {"mean": None, "std": None, "n": 0}


def _comparison_json(table: Table, comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    main, second = comparison.main, comparison.second
    return {
        "pairs": len(comparison.mine),
        "hashes": [[ours.hash, theirs.hash] for ours, theirs in comparison.pairs],
        f"delta_{table.scores.main.key}": mean_json(main.summary),
        f"delta_{table.scores.second.key}": mean_json(second.summary if second else None),
        **{f"delta_{score.key}": mean_json(comparison.delta(score.key)) for score in table.fields},
        "interval": main.interval,
        "p": main.p,
        "p_corrected": main.p_corrected,
        "p_second": second and second.p,
        "p_second_corrected": second and second.p_corrected,
    }


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV: a column for each key of any of them, texts in one line that no spreadsheet takes for a formula."""
    from pandas import DataFrame

    plain = [{_plain(key): _plain(value) for key, value in row.items()} for row in rows]
    return str(DataFrame(plain, dtype=object).to_csv(index=False, lineterminator="\n"))


def _plain(value: Any) -> Any:
    """A text as one line that no spreadsheet takes for a formula."""
    return spreadsheet_text(visible(value)) if isinstance(value, str) else value


def data_rows(report: Report, by: str = "") -> list[dict[str, Any]]:
    """The rows of CSV: one per trial, for ``by="class"`` one per trial and class, for ``by="labels"`` one per point of a
    curve and per arm.

    Fractions as recorded; None: no number. For a suite the first column names the run: a trial is in each of its.
    """
    named = any(table.run for table in report.tables)
    return [{"run": table.run, **row} if named else row for table, row in _all_rows(report, by)]


def _all_rows(report: Report, by: str) -> Iterator[tuple[Table, dict[str, Any]]]:
    if by == "labels":
        from hsiaug.report.views_labels import curve_rows, curves_of

        yield from ((curve.table, row) for curve in curves_of(report) for row in curve_rows([curve]))
        return
    for table in report.tables:
        for trial in table.trials:
            told = _class_rows(table, trial) if by == "class" else [_scores(table, trial)]
            yield from ((table, {**_identity(trial), **row}) for row in told)


def _class_rows(table: Table, trial: Trial) -> Iterator[dict[str, Any]]:
    audit = trial.audit or {}
    counts = {
        "recall": trial.recall,
        "train_n": audit.get("train_counts"),
        "test_n": audit.get("test_counts"),
        "real_n": trial.real,
        "synthetic_n": trial.synthetic,
    }
    for i, name in enumerate(table.class_names):
        told = {key: own[i] if own and i < len(own) else None for key, own in counts.items()}
        yield {"class_id": i + 1, "class_name": name, **told}


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())


def _identity(trial: Trial) -> dict[str, Any]:
    condition, error = trial.condition, trial.error or {}
    row: dict[str, Any] = {
        "hash": trial.hash,
        "status": trial.status,
        "error_type": error.get("type"),
        "error_message": _one_line(error.get("message")),
        "task": condition.task,
        "scene": condition.scene,
        "scene_sha256": condition.scene_sha256,
        "protocol": condition.protocol,
        "protocol_argument": condition.argument,
        "buffer": condition.buffer,
        "patch": condition.patch,
        "other_settings": condition.rest,
        "seed": trial.seed,
    }
    for role, method in (("generator", trial.arm.generator), ("classifier", trial.classifier)):
        row |= {role: method.name, f"{role}_version": method.version, f"{role}_params": method.params}
    row |= {"view": trial.classifier.view, "view_shown": trial.view_shown, **_arm_json(trial.arm)}
    return row | {"omega_convention": trial.arm.generator.convention}


def _scores(table: Table, trial: Trial) -> dict[str, Any]:
    columns, audit = zip(table.frame.columns, trial, strict=True), trial.audit or {}
    known = {
        name: None if value != value else value for name, value in columns if name not in ("confusion", "draw")
    }
    plain = (metric.key for metric in table.metrics if metric not in table.subsets)
    scores: dict[str, Any] = {key: known.get(key) for key in (*plain, "worst_class")}
    scores["worst_class"] = scores["worst_class"] and int(scores["worst_class"])
    for subset in (metric.key for metric in table.subsets):
        name = subset.removeprefix("subset:")
        scores |= {f"aa_{name}": known[subset], f"oa_{name}": known[f"oa {subset}"]}
    scores["transductive"] = trial.transductive
    scores |= {name: audit.get(name) for name in AUDITED}
    scores["split_sha256"] = audit.get("sha256")
    return scores | {key: known[key] for key in ("seconds", "cpu_seconds", "peak_memory_mb", "created")}
