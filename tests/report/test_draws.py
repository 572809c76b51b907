"""Over which draws cells are compared."""

from __future__ import annotations

import pytest
from report_records import failure, record

from hsiaug.report import build_report
from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import common_draws, draws_of, over_draws


def cells(*seeds: tuple[range | tuple[int, ...], tuple[int, ...]]) -> list[ArmCell]:
    """A cell at λ = 1, 2, … for each pair: the seeds that went well, and those that failed."""
    records = []
    for lam, (ok, failed) in enumerate(seeds, start=1):
        records += [record(generator="smote", lam=float(lam), seed=seed) for seed in ok]
        records += [failure(generator="smote", lam=float(lam), seed=seed) for seed in failed]
    (table,) = build_report(records).tables
    return list(table.cells.values())


@pytest.mark.parametrize(
    ("seeds", "common"),
    [
        ([(range(6), ()), (range(6), ())], range(6)),
        ([(range(6), ()), (range(6), ()), ((0,), ())], range(6)),  # a trial to try it
        ([(range(6), ()), ((0,), ()), ((0,), ())], range(6)),  # two of them
        ([(range(2), ()), ((0,), ())], range(2)),
        ([(range(6), ()), ((0, 1, 2, 4, 5), (3,))], range(6)),  # a failed trial was planned
        ([((0, 1), (2,)), ((0, 1), (2,))], range(2)),  # but where none went well there is nothing to compare
        ([(range(10), ()), (range(5), ()), (range(5), ())], range(5)),  # an arm run further
        ([((), (0, 1)), ((), (0, 1))], ()),
    ],
)
def test_the_draws_that_compare_most_trials(
    seeds: list[tuple[range | tuple[int, ...], tuple[int, ...]]], common: range | tuple[int, ...]
) -> None:
    assert sorted(seed for seed, _ in common_draws(cells(*seeds))) == list(common)


def test_a_cell_is_cut_to_draws_that_it_has_and_left_alone_where_it_lacks_one() -> None:
    long, short = cells((range(10), (10,)), (range(3), ()))
    five = frozenset(draw for draw in draws_of(long) if draw[0] < 5)

    assert draws_of(over_draws(long, five)) == five
    assert [trial.seed for trial in over_draws(long, five).failed] == [10]
    assert over_draws(short, five) == short
