"""Suites: what a file may say, and how its runs become one list of work."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base.errors import InputError, SceneError
from hsiaug.bench.plan import Plan
from hsiaug.bench.plans_of_runs import hashes_by_run, plan_runs, trials_of
from hsiaug.bench.ranges import numbers
from hsiaug.bench.suite import Suite, find_suite, read_suite
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import Registry
from tests.suites import BEGINNING
from tests.wheels import CAN_BUILD

ROOT = Path(__file__).parents[2]

SUITE = f"""
title = "A try"
{BEGINNING}
[[run]]
name = "sweep"
generators = ["dummy", "guided"]
lambdas = "0.5:1:0.25"
omegas = [0, "1:2:1"]
set = [{{}}, {{ dummy = {{ gain = 2 }} }}]
"""


def suite_of(folder: Path, text: str = SUITE, **asked: Any) -> Suite:
    (folder / "suite.toml").write_text(text)
    return read_suite(folder / "suite.toml", **asked)


def parts_of(suite: Suite, scene: Scene, plugins: Registry) -> tuple[Plan, ...]:
    return plan_runs(suite.runs, plugins, lambda task, ref: scene)


def test_runs_that_share_a_split_draw_it_once_and_progress_is_told_of_every_split(
    toy, plugins, tmp_path
):
    suite = suite_of(tmp_path, SUITE + '\n[[run]]\nname = "again"\ngenerators = ["dummy"]\n')
    told: list[tuple[int, int]] = []
    plans = plan_runs(
        suite.runs,
        plugins,
        lambda task, ref: toy,
        lambda done, total, note="": told.append((done, total)),
    )
    *_, one, other = plans
    assert one.splits and all(one.splits[draw] is split for draw, split in other.splits.items())
    total = sum(len(plan.splits) for plan in plans)
    assert told == [(done, total) for done in range(1, total + 1)]


def test_ranges_hold_the_very_numbers_that_would_be_typed() -> None:
    assert numbers("--lambda", "0:1.5:0.25") == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]
    assert numbers("--omega", "0,1,2:4:1") == [0, 1, 2, 3, 4]
    assert numbers("--lambda", "0:0.5:0.1") == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert numbers("--lambda", "0:1:0.4") == [0, 0.4, 0.8]
    assert numbers("--lambda", "2:2:1") == [2]


@pytest.mark.parametrize(
    "text",
    ["1:0:0.5", "0:1:0", "0:1:-1", "0:inf:1", "0:1", "0:1:1e-9", "0:1e999999:1e-999999", "nan"],
)
def test_a_wrong_range_is_refused(text: str) -> None:
    with pytest.raises(
        InputError,
        match="--lambda must be numbers, or rising ranges START:STOP:STEP of at most 1000",
    ):
        numbers("--lambda", text)


def test_a_run_takes_from_the_defaults_what_it_does_not_say(tmp_path: Path) -> None:
    headline, sweep = suite_of(tmp_path).runs

    assert [(ref, request.protocol.label) for ref, request in headline.asked] == [
        ("toy", "issd"),
        ("toy", "random:0.05"),
    ]
    assert {tuple(request.generators) for _, request in headline.asked} == {("dummy",)}
    assert [request.overrides for _, request in sweep.asked] == [{}, {"dummy": {"gain": "2"}}]
    for _, request in sweep.asked:
        assert request.lambdas == (0.5, 0.75, 1) and request.omegas == (0, 1, 2)
        assert (
            request.generators == ("dummy", "guided")
            and request.seeds == (0, 1)
            and request.patch == 5
        )


def test_seeds_that_are_typed_beat_those_of_the_file(tmp_path: Path) -> None:
    typed = suite_of(tmp_path, seeds=[3, 4])
    assert {request.seeds for run in typed.runs for _, request in run.asked} == {(3, 4)}
    assert typed.store == Path("results")


def test_cards_and_masks_are_found_beside_the_suite(tmp_path: Path) -> None:
    (tmp_path / "masks.npz").write_bytes(b"masks")
    text = SUITE.replace('scenes = "toy"', 'scenes = ["toy", "../mine.toml"]')
    suite = suite_of(tmp_path, text.replace('"random:0.05"', '"fixed:masks.npz"'))

    refs = [ref for ref, _ in suite.runs[0].asked]
    assert refs == [
        "toy",
        "toy",
        str(tmp_path.parent / "mine.toml"),
        str(tmp_path.parent / "mine.toml"),
    ]
    assert suite.runs[0].asked[1][1].protocol.paths == (tmp_path.resolve() / "masks.npz",)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("seeds = 2", "seed = 2", ("'defaults.seed'", "Did you mean seeds")),
        ('name = "sweep"', 'nam = "sweep"', ("'run[1].nam'", "Did you mean name")),
        ('name = "sweep"', 'name = "headline"', ("'headline'", "a name of its own")),
        ("seeds = 2", "seeds = 2.5", ("'defaults.seeds'", "2.5")),
        ("seeds = 2", "seeds = 1000000000", ("'defaults.seeds'", "number of seeds")),
        ("patch = 5", 'patch = "5"', ("'defaults.patch'", "valid integer")),
        ('"0.5:1:0.25"', '"1:0:0.25"', ("run[sweep].lambdas", "rising ranges")),
        ("gain = 2", "gain = [2]", ("run[sweep].set[1].dummy.gain", "[2]")),
        ("random:0.05", "ranom:0.05", ("run 'headline'", "'ranom'", "Did you mean random")),
        ('scenes = "toy"', "", ("run 'headline'", "must name its scenes")),
        (
            'scenes = "toy"',
            f"scenes = {['toy'] * 150_000}",
            ("run 'headline'", "at most 100,000 benchmarks"),
        ),
    ],
)
def test_a_wrong_key_is_met_with_the_rule_and_the_mend(tmp_path, old, new, parts):
    with pytest.raises(InputError) as error:
        suite_of(tmp_path, SUITE.replace(old, new))
    for part in ("suite.toml", *parts):
        assert part in str(error.value)


NAMED = ("txt2hsi_claims", "txt2hsi_ablation", "specdm_paper")


@pytest.mark.parametrize("name", NAMED)
def test_a_suite_that_comes_with_hsiaug_is_found_by_its_name(name: str) -> None:
    assert read_suite(find_suite(name)).runs


def test_a_suite_is_a_file_or_a_name_that_there_is(tmp_path: Path) -> None:
    (tmp_path / "no_ending").touch()
    for path in (tmp_path / "no_ending", tmp_path / "absent.toml"):
        assert find_suite(str(path)) == path
    for name in ("txt2hsi_claim", "", "../benchmarks/txt2hsi_claims"):
        with pytest.raises(
            InputError, match=r"`suite` must be .* Known names: .*txt2hsi_ablation.*txt2hsi_claims"
        ):
            find_suite(name)


@pytest.mark.skipif(not CAN_BUILD, reason="hatchling is not installed")
def test_the_wheel_has_the_named_suites(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(*tmp_path.glob("*.whl")) as wheel:
        wheel.extractall(tmp_path / "site")
    code = (
        "from hsiaug.bench.suite import find_suite, read_suite; import sys; print(*map(find_suite,"
        " sys.argv[1:]))"
    )
    asked = (sys.executable, "-c", code, *NAMED)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    found = subprocess.run(
        asked, cwd=tmp_path, env=env, check=True, capture_output=True, text=True
    ).stdout
    assert found.split() == [
        str(tmp_path / "site" / "hsiaug" / "suites" / f"{name}.toml") for name in NAMED
    ]
    modules = {path.name for path in (tmp_path / "site").iterdir()}
    assert {"hsiaug", "hsiaug_builtin"} <= modules and not modules & {
        "plugins",
        "benchmarks",
        "tests",
    }


def test_a_card_that_is_absent_is_met_with_how_to_get_it(tmp_path: Path, plugins: Registry) -> None:
    suite = suite_of(tmp_path, SUITE.replace('scenes = "toy"', 'scenes = "scenes/absent.toml"'))
    with pytest.raises(SceneError, match=r"absent.toml must exist.*make_scenes"):
        plan_runs(suite.runs, plugins)


def test_trials_that_runs_share_are_one(tmp_path: Path, toy: Scene, plugins: Registry) -> None:
    text = SUITE.replace(
        'generators = ["dummy", "guided"]\nlambdas = "0.5:1:0.25"', "lambdas = [0.5, 1]"
    )
    parts = parts_of(suite_of(tmp_path, text), toy, plugins)
    trials, runs = trials_of(parts), hashes_by_run(parts)

    assert (
        len(trials)
        == len({trial.hash for trial in trials})
        < sum(len(part.trials) for part in parts)
    )
    assert runs.keys() == {"headline", "sweep"} and runs["headline"] | runs["sweep"] == {
        t.hash for t in trials
    }
    shared = [t for t in trials if t.hash in runs["headline"] & runs["sweep"]]
    arms = {(t.generator.name, t.rate.lam, t.protocol.name) for t in shared}
    assert arms == {(*arm, "issd") for arm in (("none", 0.0), ("duplicate", 1.0), ("dummy", 1.0))}


def test_an_error_of_a_plan_names_its_run(tmp_path: Path, toy: Scene, plugins: Registry) -> None:
    suite = suite_of(tmp_path, SUITE.replace('["dummy", "guided"]', '["dummy", "gided"]'))

    with pytest.raises(InputError, match=r"run 'sweep': .*'gided'.*guided"):
        parts_of(suite, toy, plugins)
