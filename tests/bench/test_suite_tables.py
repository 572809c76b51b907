"""Arms of the claims and tables that a suite declares, and the trials that they are."""

from pathlib import Path

import pytest

from hsiaug.base.errors import InputError
from hsiaug.bench.plans_of_runs import plan_runs
from hsiaug.bench.suite import declared_tables, find_suite, read_suite
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import Registry
from hsiaug.trial.declared_tables import DeclaredTables, TableSetting

SUITE = """
[defaults]
scenes = "toy"
generators = ["guided"]
classifiers = ["nearest"]
seeds = 2
patch = 5
times = 0

[[run]]
name = "omega"
lambdas = 1
omegas = [0, 1, 2]

[[run]]
name = "gain"
generators = ["dummy"]
lambdas = [1, 2]
set = [{}, { dummy = { gain = 2 } }]

[arms.usual]
run = "omega"
generator = "guided"
classifier = "nearest"
omega = 1

[arms.swept]
run = "omega"
generator = "guided"
classifier = "nearest"

[arms.loud]
run = "gain"
lambda = 2
generator = "dummy"
set = { dummy = { gain = 2 } }

[arms.none]
run = ["omega", "gain"]
generator = "none"
classifier = "nearest"

[[claim]]
name = "C1"
says = "It gains"
differences = [
    { arm = "usual", over = "none", rises = "oa" },
    { arm = "swept", sweep = "omega", rises = "oa" },
]

[[table]]
name = "Table 1"
title = "Quality"
columns = [{ title = "SAD", value = "quality.sad" }]
rows = [{ title = "loud", arm = "loud" }]

[profiles.small]
seeds = [7]
lambdas = 3
"""


def tables_of(folder: Path, toy: Scene, plugins: Registry, text: str, **asked: str):
    (folder / "suite.toml").write_text(text)
    suite = read_suite(folder / "suite.toml", **asked)
    plans = plan_runs(suite.runs, plugins, lambda task, ref: toy)
    return declared_tables(suite, plans, "suite.toml", **asked), plans


def test_an_arm_is_the_trials_of_its_runs_with_its_settings(
    tmp_path: Path, toy: Scene, plugins: Registry
) -> None:
    declared, plans = tables_of(tmp_path, toy, plugins, SUITE)
    trials = {trial.hash: trial for plan in plans for trial in plan.trials}
    setting = TableSetting("toy", plans[0].trials[0].protocol.text)

    def specs(arm: str) -> list[list[tuple[float, float | None]]]:
        draws = declared.arms[arm][setting]
        return [[(one.lam, one.omega) for one in same] for same in draws.values()]

    assert specs("usual") == [[(1, 1)]] * 2
    assert specs("swept") == [[(1, 0), (1, 1), (1, 2)]] * 2
    assert specs("none") == [[(0, None)]] * 2
    (loud, _) = declared.arms["loud"][setting].values()
    assert trials[loud[0].hash].generator.params.gain == 2
    assert declared.scored_arms == {"usual": ("oa",), "none": ("oa",), "swept": ("oa",)}
    assert declared.measured_arms == {"loud": ("sad",)}


def test_samples_have_one_hash_whatever_learns_from_them(
    tmp_path: Path, toy: Scene, plugins: Registry
) -> None:
    _, plans = tables_of(tmp_path, toy, plugins, SUITE)
    trials = [trial for plan in plans for trial in plan.trials if trial.generator.name == "guided"]
    places = {(trial.seed, trial.omega) for trial in trials}
    assert len({trial.samples_hash for trial in trials}) == len(places) < len(trials) + 1
    # A generator without samples has nothing to measure.
    declared: DeclaredTables = declared_tables(
        read_suite(tmp_path / "suite.toml"), plans, "suite.toml"
    )
    assert not any(trial.samples for trial in declared.trials("none"))


def test_a_profile_changes_the_trials_of_arms(
    tmp_path: Path, toy: Scene, plugins: Registry
) -> None:
    declared, _ = tables_of(tmp_path, toy, plugins, SUITE, profile="small")
    (draws,) = declared.arms["usual"].values()
    assert {draw: one.lam for draw, (one,) in draws.items()} == {7: 3}
    assert not declared.arms["loud"]
    assert declared.options == "--suite suite.toml --profile small"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('run = "omega"', 'run = "omeg"', "`run` of arm 'usual' must be a run.*omega"),
        ('over = "none"', 'over = "nobody"', "C1 must speak of arms under .*'nobody'"),
        ('arm = "loud"', 'arm = "lout"', "Table 1 must speak of arms .*Did you mean loud"),
        ('rises = "oa"', 'rise = "oa"', "known keys.*rise'.*Did you mean rises"),
        ('over = "none", rises = "oa"', 'rises = "oa"', "a difference of oa must name arms"),
    ],
)
def test_what_no_arm_or_run_is_called_is_met_with_one_error(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in SUITE
    (tmp_path / "suite.toml").write_text(SUITE.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_suite(tmp_path / "suite.toml")


def test_an_arm_of_several_trials_of_a_draw_is_refused(
    tmp_path: Path, toy: Scene, plugins: Registry
) -> None:
    text = SUITE.replace("lambda = 2\n", "")
    with pytest.raises(InputError, match=r"'loud' must be one trial of each draw .*λ = 1, λ = 2"):
        tables_of(tmp_path, toy, plugins, text)


def test_the_suites_of_the_papers_declare_every_claim_and_table() -> None:
    claims = read_suite(find_suite("txt2hsi_claims")).file.claim
    assert [claim.name for claim in claims] == [f"C{number}" for number in range(1, 9)]
    tables = read_suite(find_suite("specdm_paper")).file.table
    names = ["1", "2", "3a", "3b", "4", "5", "6"]
    assert [table.name for table in tables] == [f"Table {name}" for name in names]
