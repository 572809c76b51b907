"""``hsiaug plugins``: from a name to a package that passes its check, and commands that outlive bad
plugins.
"""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hsiaug.base.errors import InputError
from hsiaug.cli.main import app
from hsiaug.registry.scaffold import write_package
from hsiaug.testing import check_classifier, check_generator
from tests.third_party import (
    DUMMY,
    environment,
    hsiaug,
    hsiaug_anew,
    install,
    python_module,
    started,
)
from tests.wheels import CAN_BUILD, install_by_hand, install_wheel

UNSEEDED = DUMMY.replace(
    "np.resize(np.flatnonzero(self.y == c), n)", "np.random.choice(np.flatnonzero(self.y == c), n)"
)


MASKS = [
    (kind, task) for kind in ("generator", "classifier") for task in ("segmentation", "change")
]


@pytest.mark.parametrize(("kind", "task"), MASKS)
def test_a_new_plugin_of_masks_passes_the_kit(tmp_path, monkeypatch, kind, task):
    write_package(kind, f"{task}-{kind}", tmp_path, task)
    monkeypatch.syspath_prepend(tmp_path / f"hsiaug-{task}-{kind}")
    module = importlib.import_module(f"hsiaug_{task}_{kind}")
    plugin = getattr(module, f"{task.capitalize()}{kind.capitalize()}{kind.capitalize()}")

    report = {"generator": check_generator, "classifier": check_classifier}[kind](plugin)
    assert not report.failures and plugin.card.tasks == (task,)


def test_a_protocol_is_written_for_no_task(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="generators and classifiers"):
        write_package("protocol", "apart", tmp_path, "change")


@pytest.mark.parametrize("kind", ["generator", "classifier", "protocol"])
def test_a_new_package_passes_its_check_at_once(tmp_path: Path, kind: str) -> None:
    made = hsiaug("plugins", "new", "brand-new", "--kind", kind, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    package = tmp_path / "hsiaug-brand-new"
    assert [str(tmp_path / line) for line in made.stdout.splitlines()] == sorted(
        str(path) for path in package.rglob("*") if path.is_file()
    )
    assert [path.name for path in tmp_path.iterdir()] == ["hsiaug-brand-new"]

    (install_wheel if CAN_BUILD else install_by_hand)(package, tmp_path / "site")
    answer = hsiaug("plugins", "check", "brand-new", env=environment(tmp_path / "site"))

    assert answer.returncode == 0, answer.stdout + answer.stderr
    lines = [line.split("\t") for line in answer.stdout.splitlines()]
    telling = "labels-only" if kind == "protocol" else "no-test-label"
    assert ["ok", telling] in lines and {line[0] for line in lines} <= {"ok", "skipped"}
    passed = {"generator": 13, "classifier": 12, "protocol": 8}[kind]
    assert f"{kind} brand-new: {passed} ok, 0 failed" in answer.stderr


def test_a_name_of_a_package_is_that_of_its_plugin_and_the_folder_is_made(tmp_path: Path) -> None:
    made = hsiaug("plugins", "new", "hsiaug-knn", "--kind", "generator", cwd=tmp_path)
    assert made.returncode == 0 and "hsiaug plugins check knn" in made.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["hsiaug-knn"]
    assert 'name="knn"' in (tmp_path / "hsiaug-knn" / "hsiaug_knn.py").read_text()


def test_the_test_of_a_new_package_runs_the_kit_on_what_is_installed(tmp_path: Path) -> None:
    package = write_package("protocol", "brand-new", tmp_path)
    (install_wheel if CAN_BUILD else install_by_hand)(package, tmp_path / "site")
    asked = ("pytest", "-q", "-p", "no:cacheprovider", str(package / "tests"))
    tested = python_module(*asked, cwd=package, env=environment(tmp_path / "site"))
    assert tested.returncode == 0 and "1 passed" in tested.stdout, tested.stdout + tested.stderr


def test_the_test_of_a_new_package_asks_for_every_check(tmp_path: Path) -> None:
    for kind in ("generator", "classifier", "protocol"):
        folder = write_package(kind, f"new-{kind}", tmp_path)  # type: ignore[arg-type]
        text = (folder / "tests" / "test_conformance.py").read_text()
        assert f'    check_{kind}("new-{kind}")' in text
        for path in filter(Path.is_file, folder.rglob("*")):
            assert "$" not in path.read_text().replace("${{ vars.HSIAUG || 'hsiaug' }}", "")
        workflow = (folder / ".github" / "workflows" / "check.yml").read_text()
        steps = yaml.safe_load(workflow)["jobs"]["check"]["steps"]
        assert [step["run"] for step in steps if "run" in step][-2:] == [
            f"hsiaug plugins check new-{kind}",
            "pytest",
        ]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Fine_Name", ("small letters", "Write fine-name.")),
        ("3d", ("a letter first", "Write d.")),
        ("../away", ("'../away'", "Write away.")),
        ("timm:mine", ("Write timm-mine.",)),
        ("", ("Write my-plugin.",)),
        ("smote", ("'smote', a generator of hsiaug",)),
        ("svm", ("'svm', a classifier of hsiaug",)),
        ("issd", ("'issd', a protocol of hsiaug",)),
        ("hsiaug-smote", ("'smote', a generator of hsiaug",)),
        ("there", ("must not be there yet",)),
        ("x" * 300, ("can be written", "too long")),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused_and_nothing_is_written(tmp_path, name, parts):
    (tmp_path / "hsiaug-there").mkdir()
    with pytest.raises(InputError) as caught:
        write_package("generator", name, tmp_path)

    for part in parts:
        assert part in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["hsiaug-there"]


def test_a_package_that_fails_in_the_middle_leaves_nothing(tmp_path, monkeypatch):
    def full(path: Path, *args: object, **more: object) -> None:
        if path.suffix == ".py":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left"):
        write_package("generator", "half", tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("check", "smot"), "Did you mean smote"),
        (("check", "module:Class"), "--kind must say"),
        (("check", "no_module:Class", "--kind", "generator"), "No module named"),
        (("check", "smote:5"), "smote takes no variant"),
        (("info", "timmy:resnet"), "must be a plugin"),
        (("info", "smote:5"), "smote takes no variant"),
    ],
)
def test_bad_input_gives_one_message(words: tuple[str, ...], part: str) -> None:
    result = CliRunner().invoke(app, ["plugins", *words])

    assert isinstance(result.exception, InputError) and part in str(result.exception)
    assert result.stdout == ""


def test_a_broken_rule_is_named_with_the_mend_and_gives_exit_code_1(tmp_path: Path) -> None:
    # Not installed: a module in the folder of whoever calls.
    (tmp_path / "dummy_plugin.py").write_text(UNSEEDED + "\nprint('noise of a plugin')\n")
    words = ("plugins", "check", "dummy_plugin:Generator", "--kind", "generator")
    answer = hsiaug(*words, cwd=tmp_path)

    assert answer.returncode == 1, answer.stderr
    outcomes = outcomes_of(answer.stdout)
    state, *notes = outcomes["determinism"]
    assert state == "FAILED" and any(note.startswith("hint: ") for note in notes)
    assert outcomes["seed"] == ["skipped", "needs determinism"] and outcomes["samples"] == ["ok"]
    assert "noise of a plugin" in answer.stderr


def outcomes_of(stdout: str) -> dict[str, list[str]]:
    """Status and notes of each check."""
    lines = [line.split("\t") for line in stdout.splitlines()]
    assert len(lines) == len({name for _, name, *_ in lines})
    return {name: [state, *notes] for state, name, *notes in lines}


ENDS = """
import ctypes, os, sys


class Exits(Generator):
    def fit(self, view, **given):
        print("going")
        sys.exit(3)


class Leaves(Generator):
    def fit(self, view, **given):
        os._exit(0)


class Faults(Generator):
    # Well until a fit is made without wavelengths.
    def fit(self, view, **given):
        if view.wavelengths is None:
            ctypes.string_at(0)
        return super().fit(view, **given)


class Forks(Generator):
    def fit(self, view, **given):
        os.fork()
        return super().fit(view, **given)
"""


@pytest.mark.parametrize(
    ("ends", "seen", "behind"),
    [
        ("Exits", "SystemExit: 3", "needs runs"),
        ("Leaves", "with exit code 0", "its process has ended"),
    ],
)
def test_a_plugin_that_ends_its_process_fails_with_a_reason_and_exit_code_1(
    tmp_path, ends, seen, behind
):
    (tmp_path / "dummy_plugin.py").write_text(DUMMY + ENDS)
    answer = hsiaug("plugins", "check", f"dummy_plugin:{ends}", "--kind", "generator", cwd=tmp_path)

    assert answer.returncode == 1, answer.stderr
    lines = [line.split("\t") for line in answer.stdout.splitlines()]
    assert [line[1] for line in lines if line[0] == "FAILED"] == ["runs"]
    assert ["skipped", "hard-data", behind] in lines and len(lines) == 16
    failed = next(line for line in lines if line[0] == "FAILED")
    assert any(part.startswith("seen: ") and seen in part for part in failed)
    assert "1 failed" in answer.stderr and "Traceback" not in answer.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a process ends otherwise there")
def test_checks_behind_one_that_ends_the_process_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "dummy_plugin.py").write_text(DUMMY + ENDS)
    answer = hsiaug("plugins", "check", "dummy_plugin:Faults", "--kind", "generator", cwd=tmp_path)

    assert answer.returncode == 1, answer.stderr
    outcomes = outcomes_of(answer.stdout)
    assert len(outcomes) == 16 and outcomes["runs"] == ["ok"]
    (ended,) = (name for name, one in outcomes.items() if "SIGSEGV" in " ".join(one))
    assert outcomes[ended][0] == "FAILED" and outcomes[ended][-1].startswith("hint: ")
    behind = list(outcomes.values())[list(outcomes).index(ended) + 1 :]
    assert behind and all(one == ["skipped", "its process has ended"] for one in behind)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_plugin_that_copies_its_process_is_checked_once(tmp_path: Path) -> None:
    (tmp_path / "dummy_plugin.py").write_text(DUMMY + ENDS)
    answer = hsiaug("plugins", "check", "dummy_plugin:Forks", "--kind", "generator", cwd=tmp_path)
    assert len(outcomes_of(answer.stdout)) == 16


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are sent otherwise there")
def test_ctrl_c_ends_a_check_that_never_would_and_leaves_no_process(tmp_path: Path) -> None:
    hangs = (
        "\nimport os, pathlib, time\nclass Hangs(Generator):\n    def fit(self, view, **given):\n"
    )
    hangs += (
        "        pathlib.Path('pid.tmp').write_text(str(os.getpid()))\n        os.rename('pid.tmp',"
        " 'pid')\n"
    )
    (tmp_path / "dummy_plugin.py").write_text(DUMMY + hangs + "        time.sleep(600)\n")
    words = ("plugins", "check", "dummy_plugin:Hangs", "--kind", "generator")
    command = started(*words, env=environment(), cwd=tmp_path)
    while not (tmp_path / "pid").exists():
        assert command.poll() is None, command.communicate()
        time.sleep(0.05)
    os.killpg(command.pid, signal.SIGINT)

    _, err = command.communicate()
    assert command.returncode == 130 and "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_info_knows_variants() -> None:
    answer = CliRunner().invoke(app, ["plugins", "info", "timm:test_resnet"])

    assert answer.exit_code == 0, answer.output
    assert (
        "classifier timm:test_resnet" in answer.stdout
        and "backbone\ttest_resnet\t" in answer.stdout
    )


@pytest.fixture
def bad_company(tmp_path: Path) -> Path:
    """Packages that raise, that take a second, and that claim each other's names; each says that it
    is imported.
    """
    site = tmp_path / "site"
    mark = "import sys; print(__name__, file=sys.stderr)\n"
    install(site, "broken_plugin", mark + "raise SystemError('broken on purpose')")
    install(site, "leaving_plugin", mark + "import sys; sys.exit('gone')")
    install(site, "slow_plugin", mark + "import time; time.sleep(1)")
    install(site, "dummy_plugin", mark + DUMMY)
    return install(site, "rival_plugin", mark + DUMMY)


def test_no_plugin_can_spoil_help(bad_company: Path) -> None:
    for words in (
        ("--help",),
        ("--version",),
        ("plugins", "new", "--help"),
        ("plugins", "check", "--help"),
    ):
        answer = hsiaug_anew(*words, env=environment(bad_company))
        assert answer.returncode == 0 and answer.stderr == "" and "hsiaug" in answer.stdout
        assert "Example" in answer.stdout or "plugins" not in words


def test_names_that_collide_are_listed_and_stop_nothing(tmp_path: Path) -> None:
    install(tmp_path, "dummy_plugin", DUMMY)
    answer = hsiaug("plugins", "list", env=environment(install(tmp_path, "rival_plugin", DUMMY)))

    assert answer.returncode == 0 and "generator\tdummy\tdummy-plugin" in answer.stdout
    assert "generator\trival-plugin:dummy\trival-plugin" in answer.stdout
