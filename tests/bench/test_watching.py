"""What a plugin does outside of its package is noted in the records of its trials, at once."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hsiaug.bench.worker import named_files
from hsiaug.registry.isolation.confinement import can_confine, programs
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install

ACTS = """
        import os, socket, subprocess
        from pathlib import Path
        (Path(__file__).parent / "dummy_plugin.py").read_text()
        Path(os.environ["TMPDIR"], "mine").write_text("")
        for act in (
            lambda: open(LABELS).read(),
            lambda: subprocess.run(["true"]),
            lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
        ):
            try:
                act()
            except OSError as error:
                print(type(error).__name__)
        END
"""
WORDS = (
    *("benchmark", "toy", "--generator", "dummy", "--classifier", "nearest", "--seeds", "1"),
    *("--patch", "3", "--view", "raw", "--lambda", "0.5", "--jobs", "1", "--store", "store"),
)


def notes_of(folder: Path, end: str) -> list[list[str]]:
    """The notes of the trials of a generator that does what it should not."""
    acts = ACTS.replace("LABELS", repr(str(folder / "labels.csv"))).replace("END", end)
    code = DUMMY.replace("        progress(1, 1)\n", acts)
    (folder / "labels.csv").write_text("row,column,class\n")
    site = install(folder / "site", "dummy_plugin", code)
    hsiaug(*WORDS, env=environment(site), cwd=folder)
    records = Store(folder / "store").each()
    return [one["notes"] for one in records if one["spec"]["generator"]["name"] == "dummy"]


@pytest.mark.skipif(sys.platform != "linux", reason="starts a program of Linux")
@pytest.mark.parametrize("end", ["progress(1, 1)", "os._exit(3)"])
def test_what_a_plugin_opens_starts_and_calls_is_noted(tmp_path: Path, end: str) -> None:
    (notes,) = notes_of(tmp_path, end)
    assert notes == [
        f"dummy opened {tmp_path / 'labels.csv'}",
        "dummy started true",
        "dummy called ('127.0.0.1', 9)",
    ]


def test_a_plugin_that_does_nothing_of_that_has_no_note(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "dummy_plugin", DUMMY)
    words = [*WORDS, "--classifier", "svm,cnn1d,nearest", "--preset", "tiny"]
    done = hsiaug(*words, env=environment(site), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {str(one["notes"]) for one in Store(tmp_path / "store").each()} == {"[]"}


@pytest.mark.skipif(not can_confine(), reason="this system has no Landlock")
def test_where_the_system_can_a_file_outside_is_not_opened(tmp_path: Path) -> None:
    code = DUMMY.replace("        progress(1, 1)\n", f"        open({str(tmp_path / 'a')!r})\n")
    (tmp_path / "a").write_text("")
    site = install(tmp_path / "site", "dummy_plugin", code)
    hsiaug(*WORDS, env=environment(site), cwd=tmp_path)
    errors = [one["error"] for one in Store(tmp_path / "store").each() if one["error"]]
    assert [error["type"] for error in errors] == ["PermissionError"]


def test_files_that_parameters_name_may_be_read(tmp_path: Path, spec, plugins):
    (tmp_path / "weights").touch()

    @dataclass(frozen=True)
    class Params:
        weights: str
        other: str = "svm"

    trial = spec()
    for text in ("{}", "file:{}", "{}#0123456789ab", "openclip:ViT-B-32@{}#0123456789ab"):
        params = Params(text.format(tmp_path / "weights"))
        classifier = replace(trial.classifier, params=params)
        assert named_files([replace(trial, classifier=classifier)]) == {tmp_path / "weights"}


def test_all_of_a_folder_of_packages_may_be_read(tmp_path, monkeypatch):
    packages, project = tmp_path / "site-packages", tmp_path / "project"
    for folder in (packages, project):
        folder.mkdir()
        monkeypatch.syspath_prepend(folder)
    (project / "numpy.libs").mkdir()
    (project / "scenes").mkdir()
    readable = set(programs())
    assert packages in readable and project not in readable
    assert project / "numpy.libs" in readable and project / "scenes" not in readable


def test_packages_without_init_that_pip_put_into_a_folder_may_be_read(tmp_path, monkeypatch):
    for name in ("acme/plugin", "acme_plugin-1.dist-info", "scenes"):
        (tmp_path / name).mkdir(parents=True)
    record = "acme/plugin/__init__.py,sha256=x,0\n../../bin/acme,,\n"
    (tmp_path / "acme_plugin-1.dist-info/RECORD").write_text(record)
    monkeypatch.syspath_prepend(tmp_path)
    readable = set(programs())
    assert tmp_path / "acme" in readable
    assert not {tmp_path / "scenes", tmp_path.parent, tmp_path} & readable
