"""One model, several processes: the same training as one process would do, stopped as one."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from hsiaug.api import PluginError
from hsiaug_diffusion.devices import devices_of
from hsiaug_diffusion.together import check_together, train_together
from hsiaug_diffusion.training import fresh

STEPS = 30


@dataclass(frozen=True, eq=False)
class Line:
    """The squared error of a line through ``x``. notes: where process ``rank`` says what it saw before step ``at``."""

    net: nn.Linear
    x: torch.Tensor
    notes: Path
    rank: int = 0
    bad: int = -1

    def share(self, rank: int, count: int) -> Line:
        return replace(self, x=self.x.chunk(count)[rank], rank=rank)

    def __call__(self, step: int) -> torch.Tensor:
        if step == STEPS - 1:
            torch.save((self.net.weight.detach().clone(), self.x), self.notes / f"{self.rank}.pt")
        x = self.x * torch.nan if step == 3 and self.rank == self.bad else self.x
        return (self.net(x) - (3 * x + 1)).square().mean()


def fit_line(devices: tuple[str, ...], notes: Path, progress: Any = lambda *_: None, **settings: Any) -> nn.Linear:
    net = fresh(lambda: nn.Linear(1, 1), 0)
    loss = Line(net, torch.linspace(-1, 1, 32)[:, None], notes, **settings)
    return train_together(
        net, loss, devices, progress=progress, checkpoint=None, steps=STEPS, rate=0.2, note="line", ema=0.5
    )


def test_a_list_of_indices_names_several_devices() -> None:
    assert devices_of("cuda:0,2") == ("cuda:0", "cuda:2")
    assert [devices_of(one) for one in ("cpu", "cuda", "cuda:1")] == [("cpu",), ("cuda",), ("cuda:1",)]


def test_several_devices_without_accelerate_are_refused_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug_diffusion.together.find_spec", lambda _: None)

    check_together(("cuda",))
    with pytest.raises(PluginError, match=r"pip install 'hsiaug\[multi-gpu\]'"):
        check_together(("cuda:0", "cuda:1"))


def test_two_processes_with_half_of_the_batch_each_train_as_one_with_all_of_it(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    told: list[tuple[int, int, str]] = []
    two = fit_line(("cpu:0", "cpu:1"), tmp_path, lambda *step: told.append(step))
    (own, share), (other, rest) = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    one = fit_line(("cpu",), tmp_path)

    assert torch.equal(own, other) and not torch.equal(share, rest)
    assert two.weight.item() == pytest.approx(one.weight.item(), rel=1e-4)
    assert two.weight.item() == pytest.approx(3, abs=0.3)
    assert told == [(step, STEPS, "line") for step in range(1, STEPS + 1)]


def test_a_loss_that_is_not_finite_on_one_process_stops_them_all(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    with pytest.raises(PluginError, match=r"training of the line must stay finite; found a loss of nan at step 3"):
        fit_line(("cpu:0", "cpu:1"), tmp_path, bad=1)
    assert not any(tmp_path.iterdir()) and not multiprocessing.active_children()
