"""What the scripts of the papers' tables share: trials of a store by configuration, and paired
differences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import hsiaug
from benchmarks.common import markdown, say
from hsiaug.metrics.significance import t_interval


def read_trials(store: str | Path) -> pd.DataFrame:
    """The trials of a store that ended well, a row each.

    ``params`` holds the parameters of the generator, ``ground`` the protocol with its argument.
    """
    frame = hsiaug.read_store(store).frame()
    frame = frame[frame["status"].eq("ok")].copy()
    frame["params"] = frame["generator_params"].map(json.loads)
    argument = frame["protocol_argument"].fillna("").astype(str)
    frame["ground"] = frame["protocol"] + argument.where(argument.eq(""), ":" + argument)
    return frame


def select(
    frame: pd.DataFrame, params: Mapping[str, Any] | None = None, **wanted: Any
) -> pd.DataFrame:
    """Rows whose columns, and parameters of the generator, have these values."""
    for column, value in wanted.items():
        frame = frame[frame[column].eq(value)]
    for name, value in (params or {}).items():
        same = [own.get(name) == value for own in frame["params"]]
        frame = frame[pd.Series(same, frame.index, dtype=bool)]
    return frame


def score(frame: pd.DataFrame, name: str) -> pd.Series:
    """Mean of a score in percent, by seed."""
    return 100 * frame.groupby("seed")[name].mean()


def difference(more: pd.Series, less: pd.Series) -> str:
    """``+3.1 [1.0, 5.2] (5)``: mean of paired differences, its 95 % t interval, splits."""
    apart = (more - less).dropna()
    if apart.empty:
        return "–"
    mean = f"{apart.mean():+.1f}"
    interval = t_interval(list(apart))
    bounds = f" [{interval[0]:.1f}, {interval[1]:.1f}]" if interval else ""
    return f"{mean}{bounds} ({len(apart)})".replace("-", "−")


def mean_text(values: pd.Series) -> str:
    """Mean ± standard deviation over splits."""
    if values.empty:
        return "–"
    spread = f" ± {values.std():.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f}{spread}"


def print_table(title: str, rows: Sequence[Mapping[str, str]]) -> None:
    """A table in Markdown, with its title."""
    say(f"\n## {title}\n")
    if not rows:
        say("No trials of this table are in the store.")
        return
    for line in markdown(list(rows[0]), (list(row.values()) for row in rows)):
        say(line)
