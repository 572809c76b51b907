"""A plugin that changes, forges and removes records of other trials: each record is that of a run
without it.
"""

from pathlib import Path
from typing import Any

import pytest

from hsiaug.registry.isolation.confinement import can_confine
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install

FORGER = """
import shutil
from contextlib import suppress
from pathlib import Path

STORE, OTHER = Path({store!r}), Path({other!r})


def forge(*_):
    for path in [*STORE.rglob("record.json"), *STORE.rglob("*.npz")]:
        with suppress(OSError):
            path.write_bytes(path.read_bytes().replace(b'"ok"', b'"odd"'))
        with suppress(OSError):
            path.open("r+b").truncate(9)
        with suppress(OSError):
            path.unlink()
    with suppress(OSError):
        (STORE / "cache" / "forged").touch()
    for path in OTHER.glob("records/??/*"):
        with suppress(OSError, shutil.Error):
            shutil.copytree(path, STORE / path.relative_to(OTHER))
    moved = lambda path: path.rename(path.with_name("elsewhere"))
    for change in (shutil.rmtree, moved, lambda path: path.symlink_to(OTHER)):
        with suppress(OSError):
            change(STORE / "records")
        with suppress(OSError):
            change(STORE)


forge()
"""
WORDS = (
    "benchmark",
    "toy",
    "--classifier",
    "svm",
    "--seeds",
    "1",
    "--patch",
    "3",
    "--view",
    "raw",
    "--lambda",
    "0.5",
    "--jobs",
    "1",
)


def contents(store: Path) -> dict[str, Any]:
    """Status and predictions of every record, by its arm and draw."""
    return {
        f"{one['spec']['generator']['name']} {one['spec']['seed']}": (
            one["status"],
            one["predictions_sha256"],
            one["metrics"],
        )
        for one in Store(store).records()
    }


@pytest.mark.skipif(not can_confine(), reason="this system has no Landlock")
def test_a_plugin_that_forges_records_changes_none(tmp_path: Path) -> None:
    quiet, store, forged = (tmp_path / name for name in ("quiet", "store", "forged"))
    honest = install(tmp_path / "honest", "dummy_plugin", DUMMY)
    asked = ("--generator", "smote,dummy,noise")
    assert hsiaug(*WORDS, *asked, "--store", str(quiet), env=environment(honest)).returncode == 0
    # Records of the same hashes, as somebody would have them.
    for path in (forged := _copied(quiet, forged)).rglob("record.json"):
        path.write_text(path.read_text().replace('"ok"', '"failed"'))
    evil = install(
        tmp_path / "evil",
        "dummy_plugin",
        DUMMY + FORGER.format(store=str(store), other=str(forged)),
    )
    for generators in ("smote", "dummy,noise"):
        done = hsiaug(
            *WORDS,
            "--generator",
            generators,
            "--store",
            str(store),
            env=environment(evil),
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr

    assert contents(store) == contents(quiet) and not Store(store).read().damaged
    assert not (store / "cache" / "forged").exists()
    assert len(list(store.glob("records/??/*"))) == len(list(quiet.glob("records/??/*")))


def _copied(source: Path, target: Path) -> Path:
    for path in source.glob("records/??/*/record.json"):
        (made := target / path.relative_to(source)).parent.mkdir(parents=True)
        made.write_bytes(path.read_bytes())
    return target
