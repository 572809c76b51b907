"""The arms of txt2hsi_claims.toml, and their differences over paired draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from hsiaug.metrics.significance import mean_std, t_interval
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.trial.store import Store

__all__ = [
    "LAMBDA",
    "OMEGA",
    "Arm",
    "Arms",
    "Difference",
    "Series",
    "difference",
    "plain",
    "read",
    "usual",
    "worst",
]

OMEGA = registry().find("generator", "txt2hsi").load().card.guidance
"""The usual guidance strength."""
LAMBDA = {"kshot:1": 60.0, "kshot:3": 20.0, "random-twin:kshot:3": 20.0}
"""λ at which all but λ is compared, by protocol: it brings every class to 60 samples."""

Metrics = Mapping[str, Any]
Series = Mapping[int, Metrics]


@dataclass(frozen=True)
class Arm:
    """What was trained: settings holds the parameters of the generator that are not at their
    defaults.
    """

    protocol: str
    classifier: str
    generator: str = "txt2hsi"
    lam: float = 0.0
    omega: float | None = OMEGA
    settings: frozenset[tuple[str, Any]] = field(default_factory=frozenset)


def usual(protocol: str, classifier: str, **settings: Any) -> Arm:
    """txt2hsi at the protocol's λ and the usual ω, but for these parameters."""
    return Arm(protocol, classifier, lam=LAMBDA[protocol], settings=frozenset(settings.items()))


def read(store: Store) -> dict[Arm, dict[int, Metrics]]:
    """{arm: {draw: metrics}} of every trial that succeeded."""
    arms: dict[Arm, dict[int, Metrics]] = defaultdict(dict)
    for record in store.read().records:
        spec = record["spec"]
        if record["status"] != "ok":
            continue
        name = spec["generator"]["name"]
        recall = [r for r in record["metrics"]["recall"] if r is not None]
        arm = Arm(
            record["audit"]["protocol"],
            spec["classifier"]["name"],
            name,
            spec["lambda"],
            spec["omega"],
            changed(name, spec["generator"]["params"]),
        )
        spread = {"spread": float(np.std(recall, ddof=1)), "worst": float(min(recall))}
        arms[arm][spec["seed"]] = {**record["metrics"], **spread}
    return arms


def changed(name: str, params: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """The parameters of a generator that are not at their defaults."""
    default = asdict(build_params(registry().find("generator", name).load().card, "cpu", {}))
    return frozenset(
        (key, value) for key, value in params.items() if key in default and default[key] != value
    )


@dataclass(frozen=True)
class Difference:
    """a − b over the draws that both have, in points."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the draws."""
        return mean_std(self.values).mean

    def __str__(self) -> str:
        interval = t_interval(self.values)
        return f"{self.mean:+.1f}" + (
            "" if interval is None else f" [{interval[0]:+.1f}, {interval[1]:+.1f}]"
        )

    def verdict(self, sign: int = 1) -> str:
        """Of the claim that the difference has that sign."""
        interval = t_interval(self.values)
        if self.mean * sign <= 0:
            return "fails"
        return (
            "holds" if interval is not None and interval[0] * interval[1] > 0 else "leans that way"
        )


def difference(a: Series, b: Series, metric: str) -> Difference:
    """Of one metric over the draws that both arms have."""
    draws = sorted(set(a) & set(b))
    return Difference(tuple(100 * (a[d][metric] - b[d][metric]) for d in draws))


Arms = Mapping[Arm, Series]


def plain(protocol: str, classifier: str) -> Arm:
    """The same classifier on the real samples alone."""
    return Arm(protocol, classifier, "none", 0.0, None)


ORDER = ("fails", "leans that way", "holds")


def worst(verdicts: Iterable[str]) -> str:
    """The verdict on a claim of several differences: that of the least sure one."""
    return min(verdicts, key=ORDER.index)
