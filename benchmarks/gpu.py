"""What the two flagship generators cost and bring on a GPU, at their defaults and at presets for
GPUs.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.gpu [FILE.csv [DEVICE [PEAK [CASE ...]]]]

Writes and prints a row per arm, draw, kind of training set and classifier: seconds by the clock of
what is prepared once, of the fit, the samples and the classifier, the largest memory of the GPU in
GB, the score, and of which shares of the device's operations the denoiser's training made use
(*MFU*), for what is prepared and for the fit, all else that these do counted as lost time. DEVICE
is ``cuda`` where nothing is said; PEAK, in TFLOP/s, is 989, an H100 or H200 in bfloat16 without
sparsity. Operations are torch's count of those of matrix products and convolutions, of a training
step times the steps. Draws: 10 to 14 of Indian Pines, 80 to 82 of the Houston crop, which other
tables have opened.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import HERE, check_usage, markdown, say, write_csv
from benchmarks.operations import operation_counter
from benchmarks.speed.denoiser import made_up_sentences
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.synthesis import SampleRequest, sample_spec
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.testing.subject import run_trial
from hsiaug.trial.arm import BOTH, SYNTHETIC
from hsiaug.trial.fits import fit_generator
from hsiaug.trial.spec import TrialSpec, plugin_spec
from hsiaug.trial.trial_run import SceneContext, TrialRun

FEW = 8
"""Samples that operations are counted on."""
SETTINGS: dict[str, str] = {}
"""Parameters of the flagship that differ from the preset."""


@dataclass(frozen=True)
class Case:
    """A flagship beside others: arms are generators with their presets. score: key of a record's
    metrics.
    """

    flagship: str
    task: str
    data: str
    protocol: str | None
    view: str
    arms: tuple[tuple[str, str], ...]
    classifiers: tuple[str, ...]
    rate: Rate
    omega: float
    draws: range
    score: str
    alone: bool


CASES = {
    "txt2hsi": Case(
        "txt2hsi",
        "pixels",
        "indian_pines",
        "issd",
        "unit",
        (("none", "cpu"), ("pseudo", "cpu"), ("txt2hsi", "cpu"), ("txt2hsi", "paper")),
        ("svm", "cnn2d"),
        Rate(0.5, 3.0),
        1.0,
        range(10, 15),
        "aa",
        alone=False,
    ),
    "specdm": Case(
        "specdm",
        "segmentation",
        str(HERE / "scenes" / "houston_crop.toml"),
        None,
        "raw",
        (("none", "cpu"), ("specdm", "large")),
        ("segformer",),
        Rate(5.0),
        0.0,
        range(80, 83),
        "miou",
        alone=True,
    ),
}


def main() -> None:
    file, device, peak, *names = [*sys.argv[1:], *("gpu.csv", "cuda", "989")[len(sys.argv) - 1 :]]
    rows: list[dict[str, Any]] = []
    for name in names or CASES:
        for row in measure(CASES[name], device, 1e12 * float(peak)):
            rows.append(row)
            say(str(row))
            write_csv(Path(file), rows)
    card = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    say(f"{card}, {datetime.date.today()}, torch {torch.__version__}")
    for line in markdown(list(rows[0]), ([str(value) for value in one.values()] for one in rows)):
        say(line)


def measure(case: Case, device: str, peak: float) -> Iterator[dict[str, Any]]:
    """The rows of a case, draw by draw."""
    task = get_task(case.task)
    data = task.data.load(case.data, progress=False)
    # One each: a context keeps what was prepared last.
    contexts = {arm: SceneContext(data, task) for arm in case.arms}
    for draw in case.draws:
        for generator, preset in case.arms:
            spec = trial(case, data, generator, preset, draw)
            for train in (BOTH, SYNTHETIC) if case.alone and generator != "none" else (BOTH,):
                for classifier in case.classifiers:
                    plugin = registry().find("classifier", classifier).load()
                    params = build_params(plugin.card)
                    one = replace(
                        spec,
                        train=train,
                        view=case.view,
                        classifier=plugin_spec(plugin.card, params, data),
                    )
                    yield row(case, one, preset, contexts[generator, preset], device, peak)


def trial(case: Case, data: Any, generator: str, preset: str, draw: int) -> TrialSpec:
    """The trial of an arm, its classifier left open."""
    mine, card = generator == case.flagship, registry().find("generator", generator).load().card
    if not card.adds:
        base = trial(case, data, case.flagship, "cpu", draw)
        return replace(
            base,
            generator=plugin_spec(card, build_params(card), data),
            omega=None,
            rate=Rate(0.0, base.rate.times),
        )
    return sample_spec(
        case.task,
        data,
        SampleRequest(
            generator,
            None if case.protocol is None else parse_protocol(case.protocol),
            seed=draw,
            lam=case.rate.lam,
            times=case.rate.times,
            omega=case.omega if mine else None,
            preset=preset,
            overrides=SETTINGS if mine else {},
        ),
        registry(),
    )[1]


def row(
    case: Case, spec: TrialSpec, preset: str, context: SceneContext, device: str, peak: float
) -> dict[str, Any]:
    """A trial, and what its generator used of the device."""
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    record, _ = run_trial(spec, context, registry(), device=device, progress=quiet)
    if record["status"] != "ok":
        raise RuntimeError(f"{spec.generator.name}: {record['error']}")
    seconds: Any = record["timings"]
    metrics: Any = record["metrics"]
    prepared: Any = record.get("prepared") or {}
    shares = used(spec, context, device) if spec.generator.name == case.flagship else {}
    return {
        "data": spec.scene,
        "draw": spec.seed,
        "generator": spec.generator.name,
        "preset": preset,
        "train": spec.train,
        "classifier": spec.classifier.name,
        "metric": case.score,
        "score": round(float(metrics[case.score]), 4),
        "prepare_seconds": round(float(prepared.get("seconds", 0.0)), 1),
        "fit_seconds": round(seconds.get("fit_generator", 0.0), 1),
        "sample_seconds": round(seconds.get("sample", 0.0), 1),
        "classifier_seconds": round(seconds["fit_classifier"], 1),
        "gpu_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else 0,
        "mfu_prepare": share(shares.get("prepare"), prepared.get("seconds"), peak),
        "mfu_fit": share(shares.get("fit"), seconds.get("fit_generator"), peak),
    }


def share(operations: float | None, seconds: float | None, peak: float) -> float | None:
    """Operations a second as a share of ``peak``."""
    return round(operations / seconds / peak, 4) if operations and seconds else None


def used(spec: TrialSpec, context: SceneContext, device: str) -> dict[str, float]:
    """Operations that the denoisers' training took of a generator that has been fitted: ``prepare``
    and ``fit``.
    """
    plugin = registry().find("generator", spec.generator.name).load()(spec.generator.params)
    run = TrialRun(spec, context, generator=plugin, devices={"generator": device})
    fitted: Any = fit_generator(run).fitted
    params, size = fitted.params, fitted.params.network
    if spec.generator.name == "specdm":
        z = torch.from_numpy(fitted.latents[:FEW]).to(device)
        told = torch.zeros(len(z), fitted.shares.shape[1] + 1, device=device)
        each = torch.zeros(len(z), dtype=torch.long, device=device)
        a_pair = operations(fitted.denoiser, lambda: fitted.denoiser(z, each, told).sum()) / len(z)
        return {"fit": a_pair * size.batch * params.steps}
    denoiser = fitted.denoiser
    x = torch.randn(FEW, *denoiser.mean.shape, device=device)
    with torch.device(device):
        said, vocabulary = made_up_sentences(FEW)
        level = torch.ones(FEW)
        own = torch.ones(FEW, fitted.side**2, said.noun.shape[1] + 1, dtype=torch.bool)
    loss = partial(denoiser.loss, x, level, said, x, vocabulary, own)
    a_patch = operations(denoiser, loss) / FEW
    return {
        "prepare": a_patch * size.scene_batch * params.scene_steps,
        "fit": a_patch * size.batch * params.steps,
    }


def operations(model: torch.nn.Module, loss: Callable[[], torch.Tensor]) -> int:
    """Operations of a loss and its gradients."""
    model.requires_grad_(True)
    with torch.enable_grad(), operation_counter() as counter:
        torch.autograd.backward(loss())
    model.requires_grad_(False).zero_grad(set_to_none=True)
    return int(counter.get_total_flops())


def quiet(done: int, total: int, note: str = "") -> None:
    """No progress."""


if __name__ == "__main__":
    check_usage(__doc__)
    main()
