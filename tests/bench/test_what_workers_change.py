"""A worker changes its temporary files and saved fits alone: no cache that a report reads, no code
of hsiaug, no installed package.
"""

import site
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import hsiaug as package
from hsiaug.registry.isolation.confinement import why_open
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install

pytestmark = pytest.mark.skipif(bool(why_open()), reason="this system has no Landlock")
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
    for path in Path(os.environ["HSIAUG_CACHE_DIR"]).rglob("*.npz"):
        try:
            path.open("ab").close()
            changed.append(path)
        except OSError:
            pass
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


def test_a_worker_changes_no_cache_of_records_and_no_code(tmp_path: Path) -> None:
    cache = tmp_path / "user-cache"
    env = environment(forger(tmp_path / "site"), HSIAUG_CACHE_DIR=str(cache))
    words = (*WORDS, "--classifier", "nearest")
    assert hsiaug(*words, env=env, cwd=tmp_path).returncode == 0
    assert hsiaug("store", "pack", "store", env=env, cwd=tmp_path).returncode == 0
    report = hsiaug("report", "--store", "store", env=env, cwd=tmp_path)
    cached = {path: path.read_bytes() for path in cache.rglob("*.npz")}
    assert cached and report.returncode == 0

    again = hsiaug(*words, "--classifier", "svm", "--isolate", "on", env=env, cwd=tmp_path)

    assert again.returncode == 0, again.stderr
    records = list(Store(tmp_path / "store").records())
    changed = [one["provenance"]["changed"] for one in records if "changed" in one["provenance"]]
    assert len(changed) == 2 and not any(changed), changed
    assert {path: path.read_bytes() for path in cached} == cached


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm")
def test_a_worker_changes_no_record_of_a_store_among_devices(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        env = environment(forger(tmp_path / "site"), HSIAUG_CACHE_DIR=f"{folder}/user-cache")
        site = tmp_path / "site" / "dummy_plugin.py"
        site.write_text(
            site.read_text().replace(
                "FOLDERS, HSIAUG_FILE = [",
                f"FOLDERS, HSIAUG_FILE = [{folder + '/store'!r}, {folder + '/store/records'!r}, ",
            )
        )
        done = hsiaug(
            *WORDS, "--classifier", "nearest", "--isolate", "on", env=env, cwd=Path(folder)
        )
        assert done.returncode == 0, done.stderr
        records = list(Store(Path(folder) / "store").records())
        changed = [
            one["provenance"]["changed"] for one in records if "changed" in one["provenance"]
        ]
        assert changed and not any(changed), changed


def test_a_package_is_imported_when_its_trial_begins_so_that_fits_before_it_are_saved(
    tmp_path: Path,
) -> None:
    # Once it is imported, no fit of a generator of hsiaug is saved any more.
    code = DUMMY.replace(
        "self.means = np.stack",
        "self.facts = {'in turn': 'run_group' in IMPORTED}; self.means = np.stack",
    )
    code += "\nimport traceback\nIMPORTED = [one.name for one in traceback.extract_stack()]\n"
    env = environment(install(tmp_path / "site", "dummy_plugin", code))
    words = ("benchmark", "toy", "--generator", "smote", "--classifier", "svm,nearest")
    quick = ("--seeds", "1", "--patch", "3", "--lambda", "0.5", "--jobs", "1", "--view", "raw")
    done = hsiaug(*words, *quick, "--store", "store", env=env, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    records = list(Store(tmp_path / "store").records())
    facts = [
        one["classifier_facts"]
        for one in records
        if one["spec"]["classifier"]["name"] == "nearest"
        and one["spec"]["generator"]["name"] == "smote"
    ]
    assert facts == [{"in turn": True}]


def test_a_fit_of_a_package_is_saved_where_no_other_package_changes_it(tmp_path: Path) -> None:
    slow = DUMMY.replace("progress(1, 1)", "import time; time.sleep(2.1)")
    forges = """
        import os
        for folder in {cache!r}, {cache!r} + "/others":
            os.path.isdir(folder) and [try_(os.mkdir, f"{{folder}}/forged")]
        for path in __import__("pathlib").Path({cache!r}).rglob("*"):
            path.is_file() and try_(lambda: path.open("ab").write(b"x"))
"""
    forges = forges.format(cache=str(tmp_path / "store" / "cache"))
    helper = """
def try_(call, *args):
    try:
        call(*args)
    except OSError:
        pass

"""
    honest = install(tmp_path / "site", "dummy_plugin", slow)
    other = slow.replace('"dummy', '"evil').replace('"guided"', '"led"').replace("dummy_", "evil_")
    other = other.replace('"commonest"', '"common"').replace('"nearest"', '"near"')
    other = other.replace("import time; ", forges + "        import time; ")
    install(tmp_path / "evil", "evil_plugin", helper + other)
    env = environment(honest, tmp_path / "evil")
    quick = ("--classifier", "svm", *WORDS[4:])
    for generator in ("dummy", "evil", "evil"):
        done = hsiaug("benchmark", "toy", "--generator", generator, *quick, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        saved = contents(tmp_path / "store" / "cache")
        if generator == "dummy":
            of_dummy = saved

    assert of_dummy and of_dummy.items() < saved.items(), "the other package saved its fit, too"
    folders = {path.parts[: path.parts.index("others") + 2] for path in saved}
    assert len(folders) == 2 and not [path for path in saved if "forged" in path.parts]


def contents(folder: Path) -> dict[Path, bytes]:
    """The files of a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


EMPTIES = """
import os, sys
from pathlib import Path
from hsiaug.registry.isolation import confinement

folder, closed = Path(sys.argv[1]), sys.argv[2]
confinement._landlock_version = lambda: 2
assert confinement.confine([Path("/")], [folder / "own"], closed)
for path in (folder / "record", folder / "own" / "file"):
    with path.open("r+b" if path.parent.name == "own" else "rb") as file:
        if path.parent.name == "own":
            file.truncate(1)
    try:
        os.truncate(path, 0)
    except PermissionError:
        print(path.name, "refused")
"""


@pytest.mark.parametrize(("closed", "refused"), [("with a path", ["record", "file"]), ("none", [])])
def test_no_file_is_emptied_by_its_name_where_landlock_lets_it(
    closed: str, refused: list[str], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    for path in ("record", "own/file"):
        (tmp_path / path).write_text("text")
    words = [sys.executable, "-c", EMPTIES, str(tmp_path), closed]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    # Where sockets are not closed, either: what is closed is a filter of system calls.
    assert done.stdout.split() == [word for name in refused for word in (name, "refused")]
    assert (tmp_path / "record").read_text() == ("text" if refused else "")
    assert (tmp_path / "own" / "file").read_text() == ("t" if refused else "")
