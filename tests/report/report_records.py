"""Records as the store gives them, with invented numbers."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.core.scene import Scene
from hsiaug.metrics.accuracy import confusion, score
from hsiaug.protocol.split import Split
from hsiaug.report.answers import three_answers
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import rows_of
from hsiaug.trial.record_json import sealed

CLASSES = ("alfalfa", "corn_notill", "oats")
ABSENT_SCENES = [
    ({"scene_ref": "nowhere.toml"}, "the scene nowhere.toml cannot be read here"),
    ({"scene_ref": "pavia_university"}, "the files of the scene pavia_university are not here"),
    ({"scene_ref": "salinas_a"}, "the files of the scene salinas_a are not here"),
]
"""What a record may say of its scene, and what is said where that is not here."""


def spec_of(
    generator: str = "none",
    classifier: str = "svm",
    seed: int = 0,
    lam: float | None = None,
    omega: float | None = None,
    protocol: tuple[str, str, str] = ("issd", "0.05", "centre"),
    scene: str = "indian-pines",
    patch: int = 9,
    generator_params: dict[str, Any] | None = None,
    classifier_params: dict[str, Any] | None = None,
    version: str = "0.1.0",
    view: str | None = None,
    train: str | None = None,
    times: float | None = None,
) -> dict[str, Any]:
    name, argument, buffer = protocol
    return {
        "format": 1,
        "task": "pixels",
        "scene": {"name": scene, "sha256": hashlib.sha256(scene.encode()).hexdigest()},
        "protocol": {"name": name, "argument": argument, "buffer": buffer},
        "patch": patch,
        "seed": seed,
        "generator": {"name": generator, "version": version, "params": generator_params or {}},
        "classifier": {"name": classifier, "version": "0.1.0", "params": classifier_params or {}},
        "lambda": (0.0 if generator == "none" else 1.0) if lam is None else lam,
        "omega": omega,
        "omega_convention": (
            None if omega is None else "eps = (1+omega)*eps(text) - omega*eps(null)"
        ),
        **({} if view is None else {"view": view}),
        **({} if train is None else {"train": train}),
        **({} if times is None else {"times": times}),
    }


def pairs_of(gain: Any) -> list[tuple[Any, Any]]:
    """The trials of the arm and of the control, draw by draw."""
    arms = rows_of(gain.cell.ok.iloc[gain.arm_places])
    return [*zip(arms, rows_of(gain.control_cell.ok.iloc[gain.control_places]), strict=True)]


def headline(table: ReportTable) -> str:
    """The three answers of a table on one line."""
    return three_answers(table).headline


def hash_of(spec: dict[str, Any]) -> str:
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def audit_of(seed: int = 0, **changes: Any) -> dict[str, Any]:
    usual = {
        "sha256": hashlib.sha256(f"split {seed}".encode()).hexdigest(),
        "protocol": "issd",
        "leaky": False,
        "buffer": "centre",
        "radius": 4,
        "n_train": 20,
        "n_test": 100 + seed,
        "n_buffered": 30,
        "train_counts": [5, 12, 3],
        "test_counts": [40, 30 + seed, 30],
        "centre_overlap_percent": 0.0,
        "patch_overlap_percent": 12.5,
        "lost_classes": [],
        "thin_classes": [],
        "untrained_classes": [],
        "notes": ["oats: the clump sits at an end of its component"],
    }
    return {**usual, **changes}


def metrics_of(oa: float, aa: float, recall: list[float | None] | None = None) -> dict[str, Any]:
    return {
        "oa": oa,
        "aa": aa,
        "kappa": oa - 0.1,
        "macro_f1": aa - 0.02,
        "worst_recall": 0.1,
        "worst_class": 3,
        "recall": [aa, aa, aa] if recall is None else recall,
        "n_test": [40, 30, 30],
        "confusion": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "subsets": {"IP-2": {"classes": [1, 2], "aa": aa + 0.05, "oa": oa + 0.05, "n_classes": 2}},
    }


def record(
    oa: float = 0.5,
    aa: float = 0.4,
    *,
    recall: list[float | None] | None = None,
    audit: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """The record of a trial that went well, or of one that failed where an error is given."""
    built = spec_of(**spec)
    made: dict[str, Any] = {
        "format": 1,
        "hash": hash_of(built),
        "spec": built,
        "scene_ref": built["scene"]["name"],
        "status": "failed" if error else "ok",
        "error": error,
        "class_names": list(CLASSES),
        "metrics": None if error else metrics_of(oa, aa, recall),
        "samples": {"real": [5, 12, 3], "synthetic": [7, 0, 9]},
        "provenance": {},
        "scope": {"generator": "none", "classifier": "none"},
        "transductive": False,
        "audit": audit_of(built["seed"]) if audit is None else audit,
        "timings": {"fit_classifier": 0.5, "total": 1.25},
        "cpu_seconds": {"fit_classifier": 0.4, "total": 1.0},
        "optimiser_steps": {"fit_generator": None, "fit_classifier": 300},
        "peak_memory_mb": 100.0,
        "device": {"requested": "cpu"},
        "environment": {
            "python": "3.11",
            "platform": "Linux",
            "processor": "a CPU",
            "versions": {},
        },
        "predictions_sha256": None,
        "created": "2025-01-01T00:00:00+00:00",
        "command": "hsiaug run …",
    }
    return made


def failure(
    type: str = "PluginError", message: str = "no sample came back", **spec: Any
) -> dict[str, Any]:
    return record(
        error={"stage": "sample", "type": type, "message": message, "traceback": ""}, **spec
    )


def benchmark(
    draws: int = 5,
    generators: tuple[str, ...] = ("none", "duplicate", "mixup", "smote"),
    classifiers: tuple[str, ...] = ("cnn2d", "svm"),
    gain: float = 0.02,
    **spec: Any,
) -> list[dict[str, Any]]:
    """A whole grid with ``coords``: each generator is ``gain`` better in AA than the one before
    it.
    """
    plain = {key: value for key, value in spec.items() if key not in ("lam", "omega")}
    records = [
        record(0.30, 0.25 + 0.01 * s, classifier="coords", seed=s, **plain) for s in range(draws)
    ]
    for place, generator in enumerate(generators):
        for classifier in classifiers:
            for seed in range(draws):
                aa = 0.40 + gain * place + 0.03 * seed
                records.append(
                    record(
                        aa + 0.1, aa, generator=generator, classifier=classifier, seed=seed, **spec
                    )
                )
    return records


TESTED = (1200, 400, 400)
"""Test pixels of each class, such that OA and AA in whole percent are whole numbers of pixels."""


def believable(made: dict[str, Any]) -> dict[str, Any]:
    """The record with metrics that follow from a confusion matrix, of the same OA and AA; what a
    store is read for.
    """
    if made["metrics"] is None:
        return made
    oa, aa = made["metrics"]["oa"], made["metrics"]["aa"]
    others = (1.8 * aa - oa) / 0.8
    recall = (3 * aa - 2 * others, others, others)
    matrix = np.zeros((3, 3), dtype=np.int64)
    for i, (n, share) in enumerate(zip(TESTED, recall, strict=True)):
        matrix[i, i] = min(max(round(n * share), 0), n)
        matrix[i, (i + 1) % 3] = n - matrix[i, i]
    timings = {"fit_classifier": 0.5, "predict": 0.25, "total": 1.25}
    return {**made, "timings": timings, "metrics": score(matrix, {"IP-2": (1, 2)})}


def predicted(
    scene: Scene, split: Split, every: int, **spec: Any
) -> tuple[dict[str, Any], tuple[Any, Any]]:
    """The record of a trial on a scene that takes each of so many test pixels for another class,
    and its predictions.
    """
    classes = len(scene.class_names)
    index = np.flatnonzero(split.test)
    true = scene.labels.ravel()[index]
    called = true.copy()
    called[::every] = true[::every] % classes + 1
    counts = [9] * classes
    made = {
        **record(scene=scene.name, patch=split.patch, audit=split.audit.as_json(), **spec),
        "class_names": list(scene.class_names),
        "samples": {"real": counts, "synthetic": counts},
        "metrics": score(confusion(true, called, classes), {}),
    }
    return made, (index.astype(np.int32), called.astype(np.int16))


def of_classes(made: dict[str, Any], matrix: Any) -> dict[str, Any]:
    """The record with the metrics of another confusion matrix (C, C)."""
    classes = len(matrix)
    counts = {name: [9] * classes for name in ("real", "synthetic", "train_counts", "test_counts")}
    return {
        **made,
        "class_names": [f"class number {i}" for i in range(classes)],
        "metrics": score(np.asarray(matrix), {}),
        "samples": {name: counts[name] for name in ("real", "synthetic")},
        "audit": {
            **made["audit"],
            **{name: counts[name] for name in ("train_counts", "test_counts")},
        },
    }


def fill(root: Path, records: list[dict[str, Any]], matrix: Any = None) -> Path:
    """A store of such records, without predictions. matrix: the confusion of them all, in place of
    the invented one.
    """
    for made in map(believable, records):
        folder = root / "records" / made["hash"][:2] / made["hash"]
        folder.mkdir(parents=True)
        whole = made if matrix is None else of_classes(made, matrix)
        text = json.dumps(sealed(whole), indent=1)
        (folder / "record.json").write_text(text, encoding="utf-8")
    return root
