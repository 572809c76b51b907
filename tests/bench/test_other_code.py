"""A package that is edited in place: records that its old code made are not used again, and are no
part of a table with new ones.
"""

import sys
from pathlib import Path

from hsiaug.registry.lookup import build_registry
from hsiaug.registry.plugin_code import _digest, digest_of_module, forget
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install, point, results

WORDS = (
    *("benchmark", "toy", "--generator", "dummy", "--classifier", "svm", "--patch", "3"),
    *("--view", "raw", "--lambda", "0.5", "--jobs", "1", "--store", "store"),
)


def test_trials_of_edited_code_are_run_again(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "dummy_plugin", DUMMY)
    env = environment(site)
    first = hsiaug(*WORDS, "--seeds", "2", env=env, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    before = results(tmp_path / "store")
    again = hsiaug(*WORDS, "--seeds", "2", env=env, cwd=tmp_path)
    assert f"{len(before)} of {len(before)} trials are taken from store" in again.stderr
    assert again.stdout == first.stdout

    # The version stays.
    edited = DUMMY.replace("view.real.x * np.float32(self.params.gain)", "view.real.x * 0")
    assert edited != DUMMY
    (site / "dummy_plugin.py").write_text(edited)
    one = hsiaug(*WORDS, "--seeds", "1", env=env, cwd=tmp_path)
    assert "1 trial made with other code of generator dummy: run again" in one.stderr
    # The one of the other split is no part of the table.
    assert "1 trial made with older code of generator dummy: left out" in one.stderr
    report = hsiaug("report", "--store", "store", "--format", "csv", env=env, cwd=tmp_path)
    assert report.stdout.count("dummy") == 1 and "older code of generator dummy" in report.stderr

    both = hsiaug(*WORDS, "--seeds", "2", env=env, cwd=tmp_path)
    assert "1 trial made with other code" in both.stderr
    assert "older code" not in both.stderr
    after = results(tmp_path / "store")
    made = {
        record["hash"]: record["code"]
        for record in Store(tmp_path / "store").each()
        if record["spec"]["generator"]["name"] == "dummy"
    }
    assert after.keys() == before.keys() and len(made) == 2
    assert {hash for hash in after if after[hash] != before[hash]} == made.keys()
    assert {code["generator"]["package"] for code in made.values()} == {"dummy-plugin"}
    assert len({code["generator"]["sha256"] for code in made.values()}) == 1
    assert {code["classifier"]["sha256"] for code in made.values()} == {None}


def test_a_digest_is_of_all_files_of_a_package_and_of_no_bytecode_or_cache(
    tmp_path: Path, monkeypatch
):
    package = tmp_path / "some_package"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/code.py", "inner/data.json"):
        (package / name).write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def digest() -> str | None:
        return digest_of_module.__wrapped__("some_package")

    first = digest()
    assert first is not None
    (package / "inner" / "code.pyc").write_text("")
    for folder in ("__pycache__", ".ipynb_checkpoints"):
        (package / "inner" / folder).mkdir()
        (package / "inner" / folder / "code.nbi").write_text("")
    assert digest() == first
    (package / "inner" / "data.json").write_text("{}")
    second = digest()
    (package / "more.py").write_text("")
    assert len({first, second, digest()}) == 3


def test_a_digest_is_of_all_modules_that_are_installed_together(tmp_path: Path, monkeypatch):
    site = install(tmp_path / "site", "dummy_plugin", DUMMY)
    (site / "dummy_core.py").write_text("SIZE = 1")
    (info,) = site.glob("*.dist-info")
    (info / "RECORD").write_text("dummy_core.py,,\ndummy_plugin.py,,\n../../bin/dummy,,\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "dummy_plugin", raising=False)
    found = build_registry([point("dummy_plugin")]).find("generator", "dummy")
    first = _digest(found)
    (site / "dummy_core.py").write_text("SIZE = 2")
    forget()
    assert first is not None and _digest(found) != first
