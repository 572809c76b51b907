"""``hsiaug advise``: which generator helps on a scene, told from its training pixels alone, in the
time given.
"""

import contextlib
import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug import add_scene
from hsiaug.advice.context import advised_protocol
from hsiaug.advice.gains import ArmGain, candidates, gain_of, results_of
from hsiaug.advice.screening import CONFIRM, SCREEN, ladder
from hsiaug.base.errors import HsiaugError
from hsiaug.bench.request import read_request
from hsiaug.cli.main import app
from hsiaug.cli.options import duration
from hsiaug.data import toy_scene
from hsiaug.metrics.significance import Ends, t_interval
from hsiaug.protocol.balance import Rate
from hsiaug.registry.lookup import Registry, build_registry
from hsiaug.report.formatting import percent, signed, with_ends
from hsiaug.report.trials import trials_of_records
from hsiaug.tasks.scores import PIXELS
from hsiaug.tasks.settings import PIXELS as PIXEL_SETTINGS
from hsiaug.tasks.task import _TASKS, get_task
from hsiaug.trial.arm import Arm, Method
from hsiaug.trial.store import Store
from tests.in_process import run_trials_here
from tests.report.report_records import record
from tests.third_party import DUMMY, install

PLANTED = '''
"""Generators whose worth is known: one knows the truth, one mixes up the classes, one only takes time."""
import time
import numpy as np
from hsiaug.api import Card, Entry, hookimpl
from dummy_plugin import Commonest, Fitted, Generator


class Memory(Commonest):
    card = Card(name="memory", version="1", summary="one nearest neighbour", input="spectrum")

    def fit(self, samples, view, **given):
        self.x, self.y = samples.centres, samples.y
        return self

    def predict(self, patches):
        x = patches.centres
        distance = (x**2).sum(1)[:, None] - 2 * x @ self.x.T + (self.x**2).sum(1)
        return self.y[distance.argmin(axis=1)]


class Oracle(Generator):
    card = Card(name="oracle", version="1", summary="knows the scene", seconds=0.01, params=Generator.card.params)

    def fit(self, view, *, seed, device, progress):
        from hsiaug.data import toy_scene

        # The only way to be sure of a gain: true pixels of every class from all over the scene.
        scene = toy_scene()
        picked = np.argwhere(np.isin(scene.labels, list(view.counts)))
        picked = np.random.default_rng(0).permutation(picked)
        side = view.patch
        x = np.repeat(scene.cube[tuple(picked.T)][:, :, None, None], side, axis=2).repeat(side, axis=3)
        return Fitted(x, scene.labels[tuple(picked.T)].astype(np.int64))


class Seer(Memory):
    card = Card(name="seer", version="1", summary="makes no error at all", input="spectrum")

    def fit(self, samples, view, **given):
        from hsiaug.data import toy_scene

        scene = toy_scene()
        self.x, self.y = scene.cube[scene.labels > 0], scene.labels[scene.labels > 0]
        return self


class Poison(Generator):
    card = Card(name="poison", version="1", summary="wrong labels", seconds=0.01, params=Generator.card.params)

    def fit(self, view, *, seed, device, progress):
        ids = np.unique(view.y)
        return Fitted(view.real.x, np.roll(ids, 1)[np.searchsorted(ids, view.y)])


class Sleepy(Generator):
    card = Card(name="sleepy", version="1", summary="says it is quick", seconds=0.01, params=Generator.card.params)

    def fit(self, view, **given):
        time.sleep(2)
        return super().fit(view, **given)


class Vast(Generator):
    card = Card(name="vast", version="1", summary="says it is slow", seconds=1e6, params=Generator.card.params)


@hookimpl
def hsiaug_plugins():
    generators = [Entry("generator", c.card.name, f"planted_plugin:{c.__name__}") for c in (Oracle, Poison, Sleepy, Vast)]
    classifiers = [Entry("classifier", c.card.name, f"planted_plugin:{c.__name__}") for c in (Memory, Seer)]
    return [*generators, *classifiers]
'''
MODULES = ("dummy_plugin", "planted_plugin")
QUICK = {"--classifier": "memory", "--jobs": "1"}
Typed = Callable[..., str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder, "dummy_plugin", DUMMY)
    install(folder, "planted_plugin", PLANTED)
    return folder


@pytest.fixture
def planted(site: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.syspath_prepend(site)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    names = (
        "hsiaug_builtin.protocols",
        "hsiaug_builtin.baselines",
        "hsiaug_builtin.classifiers",
        *MODULES,
    )
    found = build_registry([EntryPoint(name, name, "hsiaug") for name in names])
    # Not registry itself: a module that is loaded meanwhile would keep it.
    monkeypatch.setattr("hsiaug.registry.lookup._installed", lambda: found)
    # What seer knows is in raw spectra.
    monkeypatch.setattr("hsiaug.tasks.settings.view_or_raw", lambda view, bands: "raw")
    monkeypatch.setattr("hsiaug.tasks.settings.PATCH", 3)
    pixels = get_task("pixels")
    one_rate = replace(PIXEL_SETTINGS, advice=replace(PIXEL_SETTINGS.advice, lambdas="1"))
    monkeypatch.setitem(_TASKS, "pixels", replace(pixels, settings=one_rate))
    run_trials_here(monkeypatch)
    return found


@pytest.fixture
def typed(planted: Registry, tmp_path: Path) -> Typed:
    """``typed("--generator", "oracle")``: the command on the toy scene, with quick plugins, in this
    process.
    """

    def run(*words: str, scene: str = "toy") -> str:
        kept = (
            word
            for option, value in QUICK.items()
            if option not in words
            for word in (option, value)
        )
        with contextlib.chdir(tmp_path):
            answer = CliRunner().invoke(app, ["advise", scene, *kept, *words])
        if answer.exception is not None:
            raise answer.exception
        return answer.stdout

    return run


def fields(stdout: str) -> dict[str, str]:
    """The lines of the answer by their label."""
    lines = [line.split("\t", 1) for line in stdout.splitlines() if "\t" in line]
    return {label: text for label, text in lines if label in LABELS}


LABELS = ("Use", "Why", "Better", "Map it", "Test it")
ALL = ("--protocol", "all", "--generator", "poison,oracle")


def table(stdout: str) -> list[dict[str, str]]:
    """The rows of the table of --notes."""
    lines = stdout.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("tried\t"))
    header = lines[begin].split("\t")
    rows = (line.split("\t") for line in lines[begin + 1 :])
    return [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]


def notes(stdout: str) -> str:
    """All that stands below the answer."""
    return stdout.split("\n\n", 1)[1]


def test_a_generator_that_helps_is_found_and_its_gain_is_of_fresh_splits(
    typed: Typed, tmp_path: Path
) -> None:
    shown = typed(*ALL, "--notes")
    said = fields(shown)

    assert said["Use"].startswith("memory with oracle, λ = 1")
    assert f"better than all its controls on {len(CONFIRM)} inner splits" in said["Use"]
    assert "oracle with memory" in said["Why"] and " is better: AA (4 of 5) +" in said["Why"]
    (confirmed,) = (row for row in table(shown) if row["tried"] == "confirmed")
    records = list(Store(tmp_path / "hsiaug-advice").each())
    seeds = {r["spec"]["seed"] for r in records if r["spec"]["lambda"]}
    assert confirmed["splits"] == str(len(CONFIRM)) and seeds == {*CONFIRM, *SCREEN}
    assert confirmed["verdict"] == "better"
    aa: dict[str, list[float]] = {"oracle": [], "none": [], "duplicate": []}
    for r in sorted(records, key=lambda r: r["spec"]["seed"]):
        if r["spec"]["seed"] in CONFIRM and r["spec"]["classifier"]["name"] == "memory":
            aa[r["spec"]["generator"]["name"]].append(float(np.mean(r["metrics"]["recall"][:4])))
    gains = min((np.subtract(aa["oracle"], aa[c]) for c in ("none", "duplicate")), key=np.mean)
    low, high = t_interval(gains.tolist()) or (0, 0)
    assert low > 0 and confirmed["AA (4 of 5)"] == percent(np.mean(aa["oracle"]))
    shown_gain = with_ends(float(np.mean(gains)), Ends(low, high, is_interval=True))
    assert f"AA (4 of 5) {shown_gain} over" in said["Why"]


def test_every_command_of_an_answer_runs_as_it_is_printed(typed: Typed, tmp_path: Path) -> None:
    said = fields(typed(*ALL))
    commands = [said["Better"].partition(": ")[2], said["Map it"], said["Test it"]]
    for line in commands:
        with contextlib.chdir(tmp_path):
            answer = CliRunner().invoke(app, shlex.split(line)[1:])
        assert answer.exception is None, (line, answer.output)
    assert (tmp_path / "map.png").is_file() and (tmp_path / "picks.csv").is_file()
    assert shlex.split(said["Test it"])[-2:] == ["--seeds", "7"]


def test_generators_that_harm_or_repeat_are_not_advised(typed: Typed) -> None:
    said = fields(typed("--generator", "poison,dummy"))

    assert said["Why"].startswith("No generator is better than its controls: ")
    assert said["Use"].startswith("memory with no synthetic samples    (AA (all classes) ")
    assert "--generator pseudo,gaussian --classifier memory" in said["Test it"]


def test_the_limits_are_in_the_notes(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    below = notes(typed("--generator", "dummy", "--notes"))

    assert "parts of the labels that this command reads" in below
    assert "% of the test pixels lie in a training patch" in below
    assert "coords (location alone)" in below
    monkeypatch.setattr("hsiaug.tasks.settings.PATCH", 7)
    near, far = (
        notes(typed("--generator", "dummy", "--notes", "--protocol", p)) for p in ("issd", "all")
    )
    assert "connected regions are too small" in near and "connected regions" not in far


def test_where_inner_splits_are_at_their_ceiling_nothing_is_tried_and_nothing_claimed(
    typed, tmp_path
):
    said = fields(typed("--generator", "poison,oracle", "--classifier", "seer"))
    tried = [r["spec"]["generator"]["name"] for r in Store(tmp_path / "hsiaug-advice").each()]

    assert said["Why"].startswith("Without samples seer has ")
    assert said["Why"].endswith("no generator can be ranked on them.")
    assert {*tried} == {"none"}  # seer and coords


def test_an_advice_as_json_says_what_the_lines_say(typed: Typed) -> None:
    said = fields(typed(*ALL))
    value = json.loads(typed(*ALL, "--json"))

    assert value["inner_splits"]["finding"] == "use" and value["use"]["generator"] == "oracle"
    assert value["verdict"]["word"] == "better" and value["lines"] == said
    assert value["commands"]["map"] == said["Map it"]
    (arm,) = (one for one in value["configurations"] if one["stage"] == "confirmed")
    assert f"{signed(arm['gain'] / 100)} [" in said["Why"] and arm["verdict"] == "better"


def test_a_benchmark_of_the_scene_says_more_than_inner_splits(typed: Typed, tmp_path: Path) -> None:
    words = (
        "toy --generator dummy --classifier memory --protocol kshot:5 --patch 3 --lambda 1"
        " --times 0 --seeds 6 --jobs 1 --device cpu"
    )
    with contextlib.chdir(tmp_path):
        answer = CliRunner().invoke(app, ["benchmark", *words.split()])
    assert answer.exception is None, answer.stdout
    said = fields(typed("--generator", "poison"))

    assert "memory" in said["Use"] and "6 splits in hsiaug-results, toy, kshot:5" in said["Use"]
    record = said["Map it"].split()[2]
    spec = Store(tmp_path / "hsiaug-results").find(record)["spec"]
    assert (spec["generator"]["name"], spec["classifier"]["name"]) == ("none", "memory")
    value = json.loads(typed("--generator", "poison", "--json"))
    assert (value["use"]["generator"], value["use"]["classifier"]) == ("none", "memory")
    assert value["commands"]["map"] == said["Map it"]


def test_all_labels_of_an_own_scene_are_divided_where_its_classes_have_several_fields(
    tmp_path: Path,
) -> None:
    labels = np.zeros((30, 30), dtype=int)
    labels[:5, :5] = labels[20:25, :5] = 1
    labels[:5, 20:25] = labels[20:25, 20:25] = 2
    cube = np.random.default_rng(0).normal(0.3, 0.1, (30, 30, 6))
    pixels = get_task("pixels")
    many = str(add_scene(cube, labels, "many", folder=tmp_path).files[0])
    labels[20:25] = 0
    few = str(add_scene(cube, labels, "few", folder=tmp_path).files[0])

    protocol, sentence = advised_protocol(pixels, pixels.data.load(many), many, "issd")
    assert protocol == "all" and "4 fields of 2 classes; --protocol issd keeps" in sentence
    assert advised_protocol(pixels, pixels.data.load(few), few, "issd") == ("issd", "")
    assert advised_protocol(pixels, pixels.data.load("toy"), "toy", "issd") == ("issd", "")


def test_labels_of_outer_test_pixels_change_nothing_in_the_advice(
    typed: Typed, tmp_path: Path
) -> None:
    """Permuted on the file's own test pixels: same predictions, same numbers, same verdict."""
    toy = toy_scene()
    train = (toy.labels > 0) & (np.arange(48) < 24)
    # Noise keeps inner draws from their ceiling.
    noise = np.random.default_rng(1).normal(0, 0.1, toy.cube.shape)
    np.save(tmp_path / "cube.npy", (toy.cube + noise).astype(np.float32))
    np.save(tmp_path / "train.npy", train.astype(np.uint8))
    known = toy.labels.copy()
    # One label fewer than the public toy scene has, whose draws go by its name.
    known[tuple(np.argwhere((known > 0) & ~train)[0])] = 0
    labels = known.copy()
    outside = (labels > 0) & ~train
    labels[outside] = np.random.default_rng(0).permutation(labels[outside])
    told = []
    for name, array in (("true", known), ("permuted", labels)):
        np.save(tmp_path / "labels.npy", array)
        names = ", ".join(f'"{c}"' for c in toy.class_names)
        card = (
            'name = "mine"\n[cube]\nfile = "cube.npy"\n[labels]\nfile = "labels.npy"\nnames ='
            f" [{names}]\n"
        )
        (tmp_path / "mine.toml").write_text(card)
        words = ("--protocol", "fixed:train.npy", "--generator", "smote,oracle")
        said = fields(typed(*words, scene="mine.toml"))
        (tmp_path / "hsiaug-advice").rename(tmp_path / name)
        records = sorted(
            Store(tmp_path / name).each(), key=lambda r: json.dumps({**r["spec"], "scene": 0})
        )
        made = [
            (r["spec"]["scene"]["sha256"], r["predictions_sha256"], r["metrics"]) for r in records
        ]
        told.append(([said[name] for name in ("Use", "Why")], made))

    assert told[0][0] == told[1][0] and len(told[0][1]) > 60
    for one, other in zip(told[0][1], told[1][1], strict=True):
        assert one[0] != other[0] and one[1:] == other[1:]


def own_clock(patch: pytest.MonkeyPatch, look: float) -> Callable[[], float]:
    """A clock that sleeping moves on, and looking at it by ``look`` seconds: how busy the machine
    is changes nothing. Returns what tells the seconds that were spent.
    """
    spent = 0.0

    def spend(seconds: float) -> float:
        nonlocal spent
        spent += seconds
        return 1e9 + spent

    for name in ("time", "perf_counter", "process_time"):
        patch.setattr(time, name, lambda: spend(look))
    patch.setattr(time, "sleep", spend)
    return lambda: spent


def test_the_time_is_kept_where_cards_lie_and_what_was_not_tried_is_named(
    typed, tmp_path, monkeypatch
):
    spent = own_clock(monkeypatch, look=0.0005)
    below = notes(typed("--generator", "poison,vast,sleepy", "--budget", "5s", "--notes"))

    # sleepy needs 2 s on each of 3 draws; the trial in flight may end late.
    assert spent() < 5 + 2
    left_out = [line for line in below.splitlines() if line.startswith("not tried: ")]
    assert any(line.startswith("not tried: sleepy: ") for line in left_out)
    # Nobody has timed it: what is said is its card's word.
    (vast,) = (line for line in left_out if line.startswith("not tried: vast: "))
    assert "no time left" in vast and "(λ=1 M=3)" in vast
    made = [
        r
        for r in Store(tmp_path / "hsiaug-advice").each()
        if r["spec"]["generator"]["name"] == "sleepy"
    ]
    assert 1 <= len(made) < len(SCREEN)


def test_the_same_command_again_goes_on_and_ends_where_a_long_one_does(
    typed: Typed, tmp_path: Path
) -> None:
    words = ("--protocol", "all", "--generator", "oracle")
    with pytest.MonkeyPatch.context() as patch:
        own_clock(patch, look=0.004)
        short = fields(typed(*words, "--budget", "2s"))
    kept = tmp_path / "hsiaug-advice"
    begun = len(list(Store(kept).each()))
    kept.rename(tmp_path / "short")
    long = fields(typed(*words))
    kept.rename(tmp_path / "long")
    (tmp_path / "short").rename(kept)
    again = fields(typed(*words))
    made = {r["hash"]: r["created"] for r in Store(kept).each()}
    once_more = fields(typed(*words))

    assert "nclear" in short["Why"] and 0 < begun < len(made)
    assert again == long == once_more
    assert {r["hash"]: r["created"] for r in Store(kept).each()} == made


def test_two_processes_say_what_one_says(typed: Typed, tmp_path: Path) -> None:
    said, made = [], []
    for jobs in ("1", "2"):
        said.append(fields(typed("--generator", "dummy,poison", "--jobs", jobs)))
        records = Store(tmp_path / "hsiaug-advice").each()
        made.append({record["hash"]: record["predictions_sha256"] for record in records})
        (tmp_path / "hsiaug-advice").rename(tmp_path / jobs)

    assert said[0] == said[1]
    assert made[0] == made[1] and len(made[0]) >= 4 * len(SCREEN)


def test_a_failing_generator_is_named_and_the_others_go_on(typed, planted, monkeypatch):
    def fit(*_: Any, **__: Any) -> Any:
        raise ValueError("it broke")

    monkeypatch.setattr(planted.find("generator", "poison").load(), "fit", fit)
    shown = typed(*ALL, "--notes")

    assert "oracle with memory" in fields(shown)["Why"] and "is better" in fields(shown)["Why"]
    assert f"failed: {len(SCREEN)} trials" in notes(shown)
    assert "not tried: poison: failed" in notes(shown)


def test_the_ladder_is_what_the_cards_say_the_cheapest_first(planted: Registry) -> None:
    names, broken = ladder(planted, read_request(lambdas=[1.0]))

    cards = [planted.find("generator", name).load().card for name in names]
    assert [card.seconds for card in cards] == sorted(card.seconds for card in cards)
    assert {"smote", "mixup", "oracle"} < set(names) and not broken
    assert not {"none", "duplicate"} & set(names)


def test_a_generator_that_cannot_be_made_with_what_it_was_given_is_left_out_with_what_it_says(
    planted: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(self: Any, params: Any) -> None:
        raise ValueError("needs a table of prices")

    monkeypatch.setattr(planted.find("generator", "poison").load(), "__init__", picky)
    names, broken = ladder(planted, read_request(lambdas=[1.0]))

    ((name, _, why),) = broken
    assert (
        name == "poison" and "could not be made; found ValueError: needs a table of prices" in why
    )
    assert "oracle" in names and "poison" not in names
    # What was set for it by hand is the user's to correct.
    with pytest.raises(HsiaugError, match="prices"):
        ladder(planted, read_request(lambdas=[1.0], overrides={"poison": {"gain": "1"}}))


def test_with_its_defaults_every_generator_is_considered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of the README, with all installed plugins and the preset cpu. The time is too short
    for more, on any machine.
    """
    run_trials_here(monkeypatch)
    with contextlib.chdir(tmp_path):
        answer = CliRunner().invoke(app, ["advise", "toy", "--budget", "0.001s", "--notes"])
    assert answer.exception is None, answer.output
    left_out = {
        line.split(":")[1].strip(): line
        for line in answer.stdout.splitlines()
        if line.startswith("not tried: ")
    }

    assert all("no time left" in left_out[name] for name in ("smote", "pseudo", "txt2hsi"))
    assert "fused:svm+emp with pseudo" in fields(answer.stdout)["Use"]
    assert "a default: nothing could be ranked" in fields(answer.stdout)["Use"]


def outcome(
    aa_none: list[float],
    aa_duplicate: list[float],
    generator: str = "g",
    classifier: str = "c",
    lam: float = 1.0,
) -> ArmGain:
    """An arm that gains so much over ``none``, whose AA is .5, and over ``duplicate``."""
    records = []
    for seed, (over_none, over_duplicate) in enumerate(zip(aa_none, aa_duplicate, strict=True)):
        score = 0.5 + over_none
        for name, aa in (("none", 0.5), ("duplicate", score - over_duplicate), (generator, score)):
            rate = None if name == "none" else lam
            records.append(
                record(aa, aa, generator=name, classifier=classifier, seed=seed, lam=rate)
            )
    results = results_of(trials_of_records(records))
    arm = Arm(Method(generator, "0.1.0", "{}"), Rate(lam), None)
    return gain_of(arm, classifier, results, PIXELS)


def test_a_gain_counts_only_against_all_controls_and_on_splits_enough() -> None:
    sure, unsure = [0.02, 0.03, 0.02, 0.03, 0.02, 0.03], [0.2, -0.1, 0.2, -0.1, 0.2, -0.1]

    assert outcome(sure, sure).verdict.word == "better"
    assert outcome(sure, unsure).verdict.word == "unclear"
    assert str(outcome(sure[:5], sure[:5]).verdict) == "unclear: 5 of at least 6 splits"
    worse = outcome(sure, [-d for d in sure]).verdict
    assert (worse.word, worse.control) == ("worse", "duplicate")
    # A gain too small to matter, however sure it is.
    assert outcome([d / 10 for d in sure], sure).verdict.word == "no gain"


TRANSDUCTIVE = {"generator": "scene", "classifier": "none"}


@pytest.mark.parametrize(
    ("teacher", "word"),
    [(0.45, "better"), (0.6, "worse"), (None, "unclear: teacher was not run")],
)
def test_a_classifier_that_is_a_control_counts(teacher: float | None, word: str) -> None:
    """The teacher's own map, of what learns from unlabelled pixels."""
    records = []
    for seed in range(6):
        noise = 0.001 * seed
        for name, aa in (("none", 0.45), ("duplicate", 0.45), ("pseudo", 0.45), ("g", 0.5)):
            rate = None if name == "none" else 1.0
            made = record(aa + noise, aa, generator=name, classifier="c", seed=seed, lam=rate)
            records.append({**made, "scope": TRANSDUCTIVE} if name == "g" else made)
        if teacher is not None:
            records.append(
                record(
                    teacher, teacher, generator="none", classifier="teacher", seed=seed, lam=None
                )
            )
    results = results_of(trials_of_records(records))
    gain = gain_of(Arm(Method("g", "0.1.0", "{}"), Rate(1.0), None), "c", results, PIXELS)
    assert str(gain.verdict) == word


def test_candidates_are_the_best_of_each_classifier_and_none_below_a_control() -> None:
    better, good, bad = (
        outcome([d] * 3, [0.09] * 3, n, "svm") for d, n in ((0.05, "a"), (0.04, "b"), (-0.01, "c"))
    )
    other = outcome([0.09] * 3, [0.01] * 3, "d", "cnn2d")

    assert candidates([good, better, bad], {}) == [better]
    assert candidates([other, bad, better], {}) == [better, other]
    assert candidates([bad], {}) == []
    # A control that was asked for is measured against fewer: the arm that lies above it counts,
    # though it gains less.
    control, above = (
        outcome([0.05] * 3, [0.05] * 3, "pseudo", "svm"),
        outcome([0.06] * 3, [0.01] * 3, "e", "svm"),
    )
    assert candidates([control, above], {}) == [above]


def test_a_larger_lambda_counts_only_where_the_draws_tell_it_from_a_smaller() -> None:
    one = outcome([0.02, 0.03, 0.02], [0.02] * 3)
    noisy, surely = (
        outcome(gains, [0.02] * 3, lam=4.0) for gains in ([0.09, 0.0, 0.03], [0.05, 0.06, 0.05])
    )

    assert candidates([one, noisy], {}) == [one] and candidates([one, surely], {}) == [surely]


def test_a_generator_counts_only_where_the_draws_tell_it_from_the_same_without_its_main_part() -> (
    None
):
    plain = outcome([0.02, 0.03, 0.02], [0.02] * 3, "gaussian", "svm")
    as_good = outcome([0.09, 0.0, 0.03], [0.02] * 3, "txt2hsi", "svm")
    better = outcome([0.05, 0.06, 0.05], [0.02] * 3, "txt2hsi", "svm")
    baselines = {"txt2hsi": "gaussian"}

    assert candidates([plain, as_good], baselines) == [plain]
    assert candidates([plain, better], baselines) == [better]
    # Where the simpler one is below a control, or with another classifier, it is no choice.
    below = outcome([-0.02] * 3, [0.02] * 3, "gaussian", "svm")
    assert candidates([below, as_good], baselines) == [as_good]
    with_cnn = outcome([0.01] * 3, [0.02] * 3, "gaussian", "cnn2d")
    assert candidates([with_cnn, as_good], baselines) == [as_good, with_cnn]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h", 3600), ("1.5 h", 5400)]
)
def test_budgets_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert duration("--budget", text) == seconds


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--budget", "20"), "--budget must be a time.*'20'.*90s, 20m or 1h"),
        (("--budget", "0m"), "--budget"),
        (("--budget", "-5m"), "--budget"),
        (("--budget", "soon"), "--budget"),
        (("--protocol", "within:issd"), "not nested"),
        (("--protocol", "kshot:3"), "two classes with at least 6 training pixels"),
    ],
)
def test_a_wrong_word_is_met_before_anything_is_written(typed, tmp_path, words, message):
    with pytest.raises(HsiaugError, match=message):
        typed(*words)
    assert list(tmp_path.iterdir()) == []
