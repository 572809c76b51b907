"""Benchmarks on stores that are damaged, full or read-only: one clear error, or the tables, and
never a traceback.
"""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hsiaug.trial.store import Store
from tests.in_process import hsiaug
from tests.third_party import DUMMY, environment, install


def arguments(store: Path, *more: str, jobs: str = "1") -> list[str]:
    words = "benchmark toy --generator duplicate --classifier nearest --lambda 0.5 --patch 5"
    words += f" --view raw --seeds 1 --device cpu --jobs {jobs}"
    return [*words.split(), "--store", str(store), *more]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The dummy plugins, installed."""
    return install(tmp_path / "site", "dummy_plugin", DUMMY)


@pytest.fixture
def env(site: Path) -> dict[str, str]:
    return environment(site)


@pytest.fixture
def filled(tmp_path: Path, site: Path) -> Path:
    """The store of a whole run."""
    answer = hsiaug(*arguments(tmp_path / "store"), site=site)
    assert answer.returncode == 0, answer.stderr
    return tmp_path / "store"


def files(store: Path) -> list[Path]:
    return sorted(store.glob("records/??/*/record.json"))


def test_a_damaged_record_is_run_again_and_replaced(filled: Path, site: Path) -> None:
    whole = hsiaug(*arguments(filled), site=site).stdout
    edited, cut = files(filled)[:2]
    record = json.loads(edited.read_text())
    record["metrics"]["aa"] = 0.999
    edited.write_text(json.dumps(record))
    cut.write_text('{"format": 1, "spec')

    shown = hsiaug("report", "--store", str(filled), site=site)
    assert f"damaged record {edited.parent.name}: record_sha256 states" in shown.stderr
    assert "2 records damaged and left out" in shown.stdout and "99.9" not in shown.stdout
    again = hsiaug(*arguments(filled), site=site)
    assert again.returncode == 0, again.stderr
    assert "record_sha256 states" in again.stderr and "its trial is run again" in again.stderr
    assert again.stdout == whole and Store(filled).read().damaged == ()


def test_a_full_disk_ends_a_run_with_one_error_and_the_next_run_goes_on(tmp_path, site, env):
    store = tmp_path / "store"
    command = [sys.executable, "-m", "hsiaug", *arguments(store, jobs="2")]
    full = subprocess.run(
        command,
        env={**env, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)),
    )
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "error: files must be allowed to be as large as what is written" in full.stderr
    assert "File too large" in full.stderr and "ulimit -f" in full.stderr
    assert not files(store) and not list(store.glob("records/.*"))
    assert hsiaug(*arguments(store), site=site).returncode == 0


def test_a_record_that_somebody_takes_away_during_a_run_is_told(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Store.put

    def put(store: Store, record: Any, *made: Any) -> Any:
        written = whole(store, record, *made)
        if record["spec"]["generator"]["name"] == "duplicate":
            shutil.rmtree(store.folder(record["hash"]))
        return written

    monkeypatch.setattr(Store, "put", put)
    lost = hsiaug(*arguments(tmp_path / "store"), site=site)
    told = f"1 of 3 trials have no sound record in {tmp_path / 'store'}: run this again"
    assert lost.returncode == 1 and lost.stderr.splitlines()[-1] == told, lost.stderr


def test_a_whole_store_that_is_read_only_gives_its_tables_and_one_that_is_not_whole_an_error(
    filled: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = hsiaug(*arguments(filled), site=site)

    def refuse(does: Any) -> Any:
        def change(path: Any, *words: Any, **options: Any) -> Any:
            if not str(path).startswith(str(filled)):
                return does(path, *words, **options)
            # As the system does: of a folder that is there it says so first.
            code = errno.EEXIST if Path(path).exists() else errno.EROFS
            raise OSError(code, os.strerror(code), str(path))

        return change

    with monkeypatch.context() as patch:
        for name in ("mkdir", "rename", "replace", "unlink", "rmdir"):
            patch.setattr(os, name, refuse(getattr(os, name)))
        shown = hsiaug(*arguments(filled), site=site)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout == whole.stdout
        assert hsiaug("report", "--store", str(filled)).returncode == 0
        files(filled)[0].write_text("{}")
        refused = hsiaug(*arguments(filled), site=site)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
    assert "must be a folder that can be written to; found Read-only file system" in refused.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_under_what_is_printed_is_one_error(filled: Path, env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "hsiaug", "report", "--store", str(filled)]
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(command, env=env, stdout=full, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr and "Exception ignored" not in answer.stderr
    assert "files must have room" in answer.stderr
    assert "found No space left on device" in answer.stderr
