"""A worker changes its temporary files and saved fits alone: no code of hsiaug, no installed package."""

import site
from pathlib import Path

import pytest

import hsiaug as package
from hsiaug.registry.isolation.confinement import can_confine
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install

pytestmark = pytest.mark.skipif(not can_confine(), reason="this system has no Landlock")
FORGER = '''
import os, shutil, subprocess, sys
from pathlib import Path

def copied(path):
    return shutil.copy(HSIAUG_FILE, path)

def linked(path):
    path.unlink(missing_ok=True)
    path.symlink_to(HSIAUG_FILE)
    return path

def forge():
    """What could be changed."""
    changed = []
    for folder in FOLDERS:
        try:
            Path(folder, "forged.py").touch()
            Path(folder, "forged.py").unlink()
            changed.append(folder)
        except OSError:
            pass
    temporary = Path(os.environ["TMPDIR"])
    ways = {
        "append": lambda: open(HSIAUG_FILE, "a").close(),
        "truncate": lambda: os.truncate(HSIAUG_FILE, os.path.getsize(HSIAUG_FILE)),
        "replace": lambda: os.replace(copied(temporary / "copy"), HSIAUG_FILE),
        "link": lambda: os.link(HSIAUG_FILE, temporary / "link"),
        "symbolic link": lambda: open(linked(temporary / "symbolic"), "a").close(),
        "rename away": lambda: os.rename(HSIAUG_FILE, temporary / "moved"),
        "bytecode": lambda: Path(HSIAUG_FILE).parent.joinpath("__pycache__", "x.pyc").touch(),
        "another process": lambda: subprocess.run(
            [sys.executable, "-c", f"open({HSIAUG_FILE!r}, 'a')"], check=True, capture_output=True
        ),
    }
    for name, way in ways.items():
        try:
            way()
            changed.append(name)
        except (OSError, subprocess.CalledProcessError):
            pass
    with open(os.path.join(os.environ["TMPDIR"], "mine"), "w"):
        pass
    return [str(one) for one in changed]

'''
WORDS = (
    *("benchmark", "toy", "--generator", "dummy", "--seeds", "1", "--patch", "3", "--view", "raw"),
    *("--lambda", "0.5", "--jobs", "1", "--store", "store"),
)


def forger(folder: Path) -> Path:
    """A package that says what it could change, in the provenance of its samples."""
    folders = [str(Path(package.__file__).parent), *site.getsitepackages()]
    named = f"FOLDERS, HSIAUG_FILE = {folders!r}, {package.__file__!r}\n"
    code = DUMMY.replace('{"note": "dummy"}', '{"note": "dummy", "changed": forge()}')
    return install(folder, "dummy_plugin", FORGER + named + code)


def test_a_worker_changes_no_code(tmp_path: Path) -> None:
    env = environment(forger(tmp_path / "site"))
    done = hsiaug(*WORDS, "--classifier", "nearest", env=env, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    records = list(Store(tmp_path / "store").each())
    changed = [one["provenance"]["changed"] for one in records if "changed" in one["provenance"]]
    assert len(changed) == 1 and not any(changed), changed
