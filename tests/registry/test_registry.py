"""The registry: lazy, isolated, and clear about what is broken."""

import sys
import textwrap
from pathlib import Path

import pytest

from hsiaug import api
from hsiaug.base.errors import InputError, PluginError
from hsiaug.registry.lookup import build_registry, registry
from hsiaug.trial.store import Store
from tests.effort import loaded
from tests.in_process import hsiaug
from tests.third_party import DUMMY, ONE_SPLIT, install, point


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("broken_plugin", "dummy_plugin", "rival_plugin", "odd_plugin", "cardless_plugin"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_built_ins_arrive_through_entry_points() -> None:
    found = registry()

    assert {"none", "duplicate", "noise", "mixup", "smote"} <= set(found.names("generator"))
    assert {"svm", "rf", "cnn2d", "coords"} <= set(found.names("classifier"))
    assert found.find("generator", "smote").distribution == "hsiaug"
    assert found.broken == ()


@pytest.mark.parametrize("kind", ["generator", "classifier", "protocol"])
def test_every_built_in_carries_the_card_of_its_name(kind: str) -> None:
    for name in registry().names(kind):  # type: ignore[arg-type]
        card = registry().find(kind, name).load().card  # type: ignore[arg-type]
        assert card.name == name and card.summary


def test_an_unknown_name_is_met_with_near_ones() -> None:
    with pytest.raises(InputError, match="Did you mean smote"):
        registry().find("generator", "smot")
    with pytest.raises(InputError, match="Known names: centre-cnn, changeformer, cnn1d"):
        registry().find("classifier", "xyzxyz")


def test_a_broken_package_is_listed_and_the_others_live_on(path: Path) -> None:
    install(path, "broken_plugin", "import not_a_module_of_anyone")
    install(path, "dummy_plugin", DUMMY)
    found = build_registry([point("broken_plugin"), point("dummy_plugin")])

    assert found.names("generator") == ["dummy", "guided"]
    assert "not_a_module_of_anyone" in found.broken[0].error
    assert "broken_plugin.py, line 1" in found.broken[0].error
    with pytest.raises(InputError, match="failed to load: broken_plugin"):
        found.find("generator", "oops")


def test_of_two_packages_with_one_name_one_is_known_by_its_package_too(path: Path) -> None:
    install(path, "dummy_plugin", DUMMY)
    install(path, "rival_plugin", DUMMY)
    found = build_registry([point("rival_plugin"), point("dummy_plugin")])

    assert found.find("generator", "dummy").distribution == "dummy_plugin"
    theirs = found.find("generator", "rival_plugin:dummy")
    assert theirs.distribution == "rival_plugin"
    assert theirs.card.name == theirs.load().card.name == "rival_plugin:dummy"
    assert found.broken == () and found.kinds("rival_plugin:dummy") == ["generator"]


TAKEN = """
from hsiaug.api import Card, Entry, hookimpl
from dummy_plugin import Generator

class Mine(Generator):
    card = Card(name="smote", version="1", summary="another", params=Generator.card.params)

@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "smote", "taken_plugin:Mine")]
"""


def test_a_package_that_registers_a_name_of_hsiaug_stops_nothing(tmp_path: Path) -> None:
    install(tmp_path, "dummy_plugin", DUMMY)
    site = install(tmp_path, "taken_plugin", TAKEN)
    listed = hsiaug("plugins", "list", site=site)
    assert listed.returncode == 0 and "generator\tsmote\thsiaug " in listed.stdout
    assert "generator\ttaken-plugin:smote\ttaken-plugin " in listed.stdout
    told = hsiaug("plugins", "info", "taken-plugin:smote", site=site)
    assert told.returncode == 0 and "another" in told.stdout


def test_both_plugins_of_one_name_are_benchmarked(tmp_path: Path) -> None:
    install(tmp_path, "dummy_plugin", DUMMY)
    site = install(tmp_path, "taken_plugin", TAKEN)
    names = "smote,taken-plugin:smote"
    words = ["benchmark", "toy", "--generator", names, "--classifier", "svm", "--seeds", "1"]
    run = hsiaug(*words, "--store", tmp_path / "s", site=site, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    records = list(Store(tmp_path / "s").each())
    made = {one["spec"]["generator"]["name"]: one for one in records}
    assert made["smote"]["code"]["generator"]["package"] == "hsiaug"
    code = made["taken-plugin:smote"]["code"]["generator"]
    assert code["package"] == "taken-plugin" and code["sha256"]


OLD = """
from hsiaug.api import Card, Entry, hookimpl
from dummy_plugin import Generator

class Old(Generator):
    card = Card(name="old", version="1", summary="of an earlier contract", params=Generator.card.params)

    def fit(self, scene, split):
        return None

@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "old", "old_plugin:Old")]
"""


def test_a_plugin_of_another_contract_is_one_clear_error(path: Path) -> None:
    install(path, "dummy_plugin", DUMMY)
    install(path, "old_plugin", OLD)
    found = build_registry([point("old_plugin")])
    with pytest.raises(PluginError, match=r"Old\.fit must be fit\(self, view, \*, seed") as caught:
        found.find("generator", "old").load()
    assert "another version of the contract" in str(caught.value)


def test_a_package_for_another_version_of_hsiaug_is_broken(tmp_path: Path) -> None:
    site = install(tmp_path, "dummy_plugin", DUMMY)
    (metadata,) = site.glob("*.dist-info/METADATA")
    metadata.write_text(metadata.read_text() + "Requires-Dist: hsiaug<0.1\n")
    listed = hsiaug("plugins", "list", site=site)
    assert listed.returncode == 0 and "it requires hsiaug<0.1, and this is hsiaug" in listed.stdout


def test_entries_that_are_not_entries_are_broken(path: Path) -> None:
    install(
        path,
        "odd_plugin",
        "from hsiaug.api import hookimpl\n@hookimpl\ndef hsiaug_plugins():\n    return ['smote']",
    )

    assert "must return Entry" in build_registry([point("odd_plugin")]).broken[0].error


def test_a_class_without_its_card_is_refused_when_it_is_used(path: Path) -> None:
    code = (
        "from hsiaug.api import Entry, hookimpl\nclass Bare: pass\n"
        "@hookimpl\ndef hsiaug_plugins():\n"
        "    return [Entry('generator', 'bare', 'cardless_plugin:Bare'),\n"
        "            Entry('generator', 'gone', 'cardless_plugin:Gone')]"
    )
    install(path, "cardless_plugin", code)
    found = build_registry([point("cardless_plugin")])

    with pytest.raises(PluginError, match="must carry a Card of the same name"):
        found.find("generator", "bare").load()
    with pytest.raises(PluginError, match="could not be loaded"):
        found.find("generator", "gone").load()


def test_a_scope_that_is_not_known_is_refused_and_the_error_names_what_hides_pixels(
    path: Path,
) -> None:
    code = (
        "from hsiaug.api import Card, Entry, Plugin, hookimpl\nclass Region(Plugin):\n"
        "    card = Card(name='region', version='1', summary='s', scope='train-region')\n"
        "    def fit(self, view, *, seed, device, progress): pass\n"
        "@hookimpl\ndef hsiaug_plugins(): return"
        " [Entry('generator', 'region', 'region_plugin:Region')]"
    )
    install(path, "region_plugin", code)

    with pytest.raises(
        PluginError, match=r"(?s)must be one of none, scene.*'train-region'.*hidden:0.5:issd"
    ):
        build_registry([point("region_plugin")]).find("generator", "region").load()


def test_listing_names_imports_nothing_heavy() -> None:
    modules = loaded("from hsiaug.registry.lookup import registry; registry().names('generator')")
    assert not {"torch", "sklearn", "imblearn", "matplotlib", "pandas"} & modules


def test_plugins_list_says_in_one_line_why_a_package_is_broken_and_where(tmp_path: Path) -> None:
    install(tmp_path, "broken_plugin", "raise ValueError('broken on purpose')")
    answer = hsiaug("plugins", "list", site=tmp_path)

    assert answer.returncode == 0
    assert "generator\tsmote\t" in answer.stdout
    told = answer.stdout.splitlines()[-1]
    start = (
        "–\t–\tbroken-plugin\t–\tbroken: entry point broken_plugin: ValueError: broken on purpose ("
    )
    assert told.startswith(start)
    assert (
        told.endswith("broken_plugin.py, line 1)")
        and "Traceback" not in answer.stdout + answer.stderr
    )


def test_a_package_that_exits_at_import_is_broken_and_no_more(tmp_path: Path) -> None:
    install(tmp_path, "exiting_plugin", "import sys; sys.exit('gone')")
    answer = hsiaug("plugins", "list", site=tmp_path)

    assert answer.returncode == 0 and "\texiting-plugin\t–\tbroken: entry point" in answer.stdout


def test_the_example_in_the_api_docstring_is_a_working_plugin(path: Path, tmp_path: Path) -> None:
    text = api.__doc__ or ""
    code = textwrap.dedent(text.split("A whole generator::")[1].split("and in its")[0])
    install(tmp_path / "example", "my_package", code)
    words = ("benchmark", "toy", "--generator", "gain", *ONE_SPLIT)
    answer = hsiaug(*words, site=tmp_path / "example", cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert "gain" in answer.stdout
