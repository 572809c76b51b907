"""The tables of SpecDM's paper on accuracy, from the records of specdm_paper.toml.

    hsiaug benchmark --suite benchmarks/specdm_paper.toml
    python -m benchmarks.specdm_paper hsiaug-results-specdm-paper

Means over splits in percent, with standard deviations. Tables 1, 2 and 4, on the quality of pairs,
come from ``python -m benchmarks.specdm_audit``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from benchmarks.common import check_usage
from benchmarks.paper_tables import mean_text, print_table, read_trials, score, select
from hsiaug.registry.lookup import registry

SCORES = {"segmentation": "miou", "change": "f1_change"}
LAMBDA = 5
"""Pairs for each real one, unless a table is about their number."""
Row = dict[str, str]


def main() -> None:
    frame = read_trials(sys.argv[1])
    for title, rows in (
        ("Table 3: networks that learn real, synthetic or both pairs", real_and_synthetic),
        ("Table 5: real pairs, with those of one stream, with those of two", streams),
        ("Table 6: one, three and five pairs for each real one", amounts),
        ("Training tiles", sizes),
        ("Angle in the loss, and each departure from the paper", variants),
    ):
        table = [
            {"scene": scene, "protocol": ground, "classifier": classifier, **row}
            for (task, scene, ground, classifier), own in frame.groupby(
                ["task", "scene", "ground", "classifier"]
            )
            for row in rows(own, SCORES[task])
        ]
        print_table(title, table)


def pairs(
    frame: pd.DataFrame, generator: str, train: str = "both", lam: float = LAMBDA
) -> pd.DataFrame:
    """Trials of a generator at its defaults."""
    own = select(frame, generator=generator, train=train)
    own = own[own["lambda"].eq(lam)]
    usual = [not changed(generator, params) for params in own["params"]]
    return own[pd.Series(usual, own.index, dtype=bool)]


def changed(generator: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a generator that are not its defaults."""
    defaults = registry().find("generator", generator).load().card.params()
    return {k: v for k, v in sorted(params.items()) if getattr(defaults, k, v) != v}


def cell(frame: pd.DataFrame, name: str) -> str:
    return mean_text(score(frame, name))


def real(frame: pd.DataFrame, name: str) -> str:
    return cell(select(frame, generator="none"), name)


def real_and_synthetic(frame: pd.DataFrame, name: str) -> Iterator[Row]:
    yield {
        "real": real(frame, name),
        "synthetic": cell(pairs(frame, "specdm", "synthetic"), name),
        "both": cell(pairs(frame, "specdm"), name),
    }


def streams(frame: pd.DataFrame, name: str) -> Iterator[Row]:
    yield {
        "real": real(frame, name),
        "with LDM": cell(pairs(frame, "ldm_single"), name),
        "with SpecDM": cell(pairs(frame, "specdm"), name),
    }


def amounts(frame: pd.DataFrame, name: str) -> Iterator[Row]:
    yield {
        "real": real(frame, name),
        **{f"λ = {lam}": cell(pairs(frame, "specdm", lam=lam), name) for lam in (1, 3, 5)},
    }


def sizes(frame: pd.DataFrame, name: str) -> Iterator[Row]:
    yield {"real": real(frame, name), "both": cell(pairs(frame, "specdm"), name)}


def variants(frame: pd.DataFrame, name: str) -> Iterator[Row]:
    own = frame[frame["generator"].isin(["specdm", "specdm-paper"]) & frame["train"].eq("both")]
    own = own[own["lambda"].eq(LAMBDA)]
    for (generator, _), some in own.groupby(["generator", "generator_params"]):
        params = changed(generator, some["params"].iloc[0])
        words = " ".join(f"{k}={v}" for k, v in params.items())
        yield {"generator": generator, "settings": words or "defaults", name: cell(some, name)}


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
