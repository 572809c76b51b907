"""A hidden file is hidden under every name that it has, and on the disk that it lies on."""

import subprocess
import sys
from pathlib import Path

import pytest

from hsiaug.registry.isolation import confinement
from hsiaug.registry.isolation.confinement import _Mount, beside, why_open
from tests.third_party import environment

ROOT = _Mount("8:1", Path("/"), Path("/"))


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "_disks", list)


@pytest.mark.parametrize(
    ("hidden", "mount", "other"),
    [
        # The folder is seen a second time, that above it, and all of the disk.
        ("data/labels.npy", ("data", "second"), "second/labels.npy"),
        ("data/labels.npy", ("", "second"), "second/data/labels.npy"),
        # A part of what is hidden is seen elsewhere.
        ("data", ("data/records", "second"), "second"),
        # What is hidden lies in the second.
        ("second/labels.npy", ("data", "second"), "data/labels.npy"),
    ],
)
def test_a_file_of_a_folder_that_is_mounted_twice_has_two_names(
    hidden: str,
    mount: tuple[str, str],
    other: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("data/records", "second/data"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("data/labels.npy", "second/labels.npy", "second/data/labels.npy", "more"):
        (tmp_path / name).touch()
    inside, seen = (tmp_path / name for name in mount)
    monkeypatch.setattr(confinement, "_mounts", lambda: [ROOT, _Mount("8:1", inside, seen)])
    shown = list(beside([tmp_path / hidden], tmp_path))
    assert tmp_path / "more" in shown
    for name in (hidden, other):
        assert not [one for one in shown if (tmp_path / name).is_relative_to(one)], name


def test_of_another_disk_nothing_more_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.npy").touch()
    other = _Mount("8:2", tmp_path / "data", tmp_path / "second")
    monkeypatch.setattr(confinement, "_mounts", lambda: [ROOT, other])
    assert tmp_path / "second" in list(beside([tmp_path / "data" / "labels.npy"], tmp_path))


def test_a_disk_is_hidden_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mapper").mkdir()
    for name in ("mapper/disk", "null"):
        (tmp_path / name).touch()
    monkeypatch.setattr(confinement, "_disks", lambda: [tmp_path / "mapper" / "disk"])
    assert list(beside([], tmp_path)) == [tmp_path / "null"]


READ = """
import sys
from pathlib import Path
from hsiaug.registry.isolation.confinement import beside, confine
labels, *others = map(Path, sys.argv[1:])
print([path.read_text() for path in (labels, *others)])
assert confine(beside([labels]), [])
for path in (labels, *others):
    try:
        print(path.read_bytes())
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(bool(why_open()), reason="this system has no Landlock")
def test_the_second_name_of_a_file_opens_nothing(tmp_path: Path) -> None:
    data, second = tmp_path / "da ta", tmp_path / "se cond"
    for folder in (data, second):
        folder.mkdir()
    (data / "labels.npy").write_text("labels")
    mount = f'mount --bind "{data}" "{second}" && exec "$@"'
    inside = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace can be made here")
    names = [str(folder / "labels.npy") for folder in (data, second)]
    done = subprocess.run(
        [*inside, sys.executable, "-c", READ, *names],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        "['labels', 'labels']",
        "PermissionError",
        "PermissionError",
    ], done.stderr
