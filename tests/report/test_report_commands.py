"""The commands on a page that run a benchmark again: what they name, and that they run it."""

import html
import io
import re
import shlex
from pathlib import Path

import pytest
from report_records import benchmark
from rich.console import Console

import hsiaug
from hsiaug.report import Report, build_report, print_report, render_html, render_report
from hsiaug.report.commands import one_for_all, to_repeat
from hsiaug.report.paper import methods_paragraph
from hsiaug.trial.store import Store
from tests.in_process import hsiaug as command
from tests.in_process import run_trials_here

pytestmark = pytest.mark.usefixtures("blank_pictures")

ARM = "hsiaug benchmark toy --generator {} --classifier {} --lambda {} --times {} --patch 9"


def commands_on(page: str) -> tuple[list[str], list[str]]:
    """Of the whole benchmark, and of single arms."""
    (fact,) = re.findall(r"<dt>run it again</dt><dd>(.*?)</dd>", page)
    whole = re.findall(r'<code class="command">(.*?)</code>', fact)
    arms = re.findall(r'data-arm-command="[^"]+">(.*?)</span>', page)
    return [html.unescape(text) for text in whole], [html.unescape(text) for text in arms]


def on_terminal(report: Report, store: Store) -> str:
    """The report with its notes, as one line."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    print_report(report, console, notes=True, store=store)
    return " ".join(console.file.getvalue().split())


@pytest.mark.usefixtures("few_rounds")
def test_page_and_terminal_have_the_command_that_runs_all_of_it_again_into_a_new_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch)
    monkeypatch.chdir(tmp_path)
    asked = {"draws": 2, "lambdas": [0.5, 1], "times": 0, "preset": "tiny", "progress": False}
    asked |= {"views": "raw", "patch": 5}
    run = hsiaug.benchmark("toy", ["smote", "mixup"], ["svm", "rf"], store="first", **asked)
    page = render_html(run.report, Store(tmp_path / "first"))

    (whole,), arms = commands_on(page)
    words = shlex.split(whole)
    assert words[words.index("--generator") + 1].split(",") == ["mixup", "smote"]
    assert {"--existing"}.isdisjoint(word for line in (whole, *arms) for word in line.split())
    assert all(line.split()[-1].endswith("first-again") for line in (whole, *arms))
    assert whole in on_terminal(run.report, Store(tmp_path / "first"))

    done = command(*words[1:])
    assert done.returncode == 0, done.stderr
    assert Store(tmp_path / "first-again").hashes() == Store(tmp_path / "first").hashes()

    (record, *_) = Store(tmp_path / "first").read().records
    shown = command("show", record["hash"], "--store", "first").stdout
    assert "--existing" not in shown and "--store first-again" in shown


def test_the_audit_has_the_command_that_runs_the_draws_that_an_arm_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch)
    monkeypatch.chdir(tmp_path)
    asked = {"lambdas": [1], "times": 0, "preset": "tiny", "progress": False, "store": "some"}
    asked |= {"views": "raw", "patch": 5}
    hsiaug.benchmark("toy", ["smote"], ["svm"], seeds=3, **asked)
    stopped = hsiaug.benchmark("toy", ["mixup"], ["svm"], seeds=[0, 2], **asked)
    report = build_report(stopped.store.read().records, store="some")
    assert "mixup λ=1 with svm has 2, not seed 1." in render_report(report, "md")
    (missing,) = re.findall(r"\*\*missing draws\*\*: (.*)", render_report(report, "md"))
    before = {*Store(tmp_path / "some").hashes()}
    done = command(*shlex.split(missing)[1:])
    assert done.returncode == 0, done.stderr
    (added,) = {*Store(tmp_path / "some").hashes()} - before
    spec = Store(tmp_path / "some").sound(added)["spec"]
    assert (spec["generator"]["name"], spec["seed"]) == ("mixup", 1)


def test_arms_of_a_stopped_run_that_never_began_are_named_and_run_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch)
    monkeypatch.chdir(tmp_path)
    asked = {"lambdas": [1], "times": 0, "preset": "tiny", "progress": False}
    asked |= {"views": "raw", "patch": 5}
    generators, classifiers = ["smote", "mixup"], ["svm", "rf"]
    whole = hsiaug.benchmark("toy", generators, classifiers, store="whole", seeds=2, **asked)
    hsiaug.benchmark("toy", generators, ["svm"], store="some", seeds=2, **asked)
    stopped = hsiaug.benchmark("toy", ["smote"], ["rf"], store="some", seeds=[0], **asked)
    report = build_report(stopped.store.read().records, store="some")
    text = render_report(report, "md")
    assert "Of 2 draws not all are there: mixup λ=1 with rf has 0; " in text
    assert "; smote λ=1 with rf has 1, not seed 1." in text
    assert "4 arms have 0–1 of the 2." in methods_paragraph(report.tables[0])
    (missing,) = re.findall(r"\*\*missing draws\*\*: (.*)", text)
    assert "; then:" not in missing
    done = command(*shlex.split(missing)[1:])
    assert done.returncode == 0, done.stderr
    assert Store(tmp_path / "some").hashes() == whole.store.hashes()


def test_arms_that_two_whole_runs_kept_apart_are_not_missing() -> None:
    records = benchmark(3, ("none", "duplicate", "smote"), ("svm",))
    records += benchmark(3, ("none", "duplicate", "mixup"), ("cnn2d",))
    text = render_report(build_report(records), "md")
    assert "not all are there" not in text and "missing draws" not in text


def test_older_records_whose_command_replaces_them_are_not_replaced() -> None:
    said = to_repeat(f"{ARM.format('none', 'svm', 0, 0)} --existing all", "results")
    assert said.endswith("--patch 9 --store results-again")
    assert to_repeat("python 'odd", "results") == "python 'odd"


def test_arms_that_one_benchmark_cannot_name_stand_in_several() -> None:
    smote, mixup = ARM.format("smote", "svm", 1, 0), ARM.format("mixup", "svm", 2, 0)
    assert one_for_all([smote, mixup]) == [smote, mixup], "each has its own λ"
    both = [ARM.format("smote", name, lam, 0) for name in ("svm", "rf") for lam in (1, 2)]
    assert one_for_all(both) == [ARM.format("smote", "svm,rf", "1,2", 0)]
    pair = [ARM.format("smote", "svm", *rate) for rate in ((1, 3), (2, 0))]
    assert len(one_for_all(pair)) == 2, "their product has four rates"


def test_settings_stand_in_the_command_of_all_and_of_two_kinds_in_two() -> None:
    mild, strong = (f"{ARM.format('noise', 'svm', 1, 0)} --set noise.sigma={n}" for n in (1, 2))
    (said,) = one_for_all([mild, ARM.format("smote", "svm", 1, 0)])
    assert "--generator noise,smote" in said and "--set noise.sigma=1" in said
    assert len(one_for_all([mild, strong])) == 2
