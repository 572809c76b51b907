"""What tests share: scenes, and a registry with throw-away plugins."""

import compileall
import contextlib
import ctypes
import functools
import gc
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

# One thread, as the command line sets it: tests run side by side, and results must not depend on
# it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A virtual machine may show AMX and not allow it: bfloat16 on its CPU is then an illegal
# instruction.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")

import hypothesis
import numpy as np
import pytest
import typer.main
import typer.testing
from filelock import FileLock

from hsiaug.base.arrays import give_back_files
from hsiaug.base.threads import cores
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene, toy_scene
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import Registry, build_registry
from hsiaug.trial import plugin_calls, run
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec
from tests.blank_pictures import leave_pictures_blank
from tests.browsers import NO_BROWSER
from tests.few_prompts import ask_few_prompts
from tests.few_rounds import measure_few_rounds
from tests.few_steps import take_few_steps
from tests.third_party import DUMMY, install

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Of mallopt: how much free memory a process keeps, and from which size on a block is given back."""

# An example may take as long as it takes: a busy or a slow machine is no defect.
hypothesis.settings.register_profile("hsiaug", deadline=None)
hypothesis.settings.load_profile("hsiaug")

# What tests write need not outlive a loss of power: a busy disk takes tenths of a second for each
# file.
os.fsync = os.fstat

# Memory that a test frees stays with its process: the system would have to fill it with zeros for
# the next one, page by page. Each trial would give it back.
if sys.platform == "linux":
    with contextlib.suppress(AttributeError):
        for number, most in ((TRIM_THRESHOLD, 2**31 - 1), (MMAP_THRESHOLD, 2**25)):
            ctypes.CDLL(None).mallopt(number, most)
for module in (plugin_calls, run):
    module.give_back_memory = give_back_files

# A process builds the command line once, as it starts; commands that run in this one would build
# it each time.
typer.main.get_command = functools.cache(typer.main.get_command)
typer.testing._get_command = typer.main.get_command

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the bytecode of what every process of the tests imports: hundreds start, and some
    machines forbid them to.
    """
    if not hasattr(config, "workerinput"):
        for folder in ("hsiaug", "plugins"):
            compileall.compile_dir(ROOT / folder, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the bytecode of the tests too, with which each process begins: to make it anew takes
    most of the time of the collection. What tests write and import is compiled as they are told to.

    What is loaded here lasts as long as the process: to look for garbage among it again and again
    would take more than a tenth of the time of the tests.
    """
    told, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        sys.dont_write_bytecode = told


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Processes of ``-n auto``: one more than there are cores, as tests wait for other programs.

    What the environment says counts more.
    """
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser: ``-m browser`` runs them alone."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the last line how many tests were skipped for want of a browser."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    ended = {
        status: [
            report
            for report in reporter.stats.get(status, ())
            # A file that could not be collected has none.
            if "browser" in getattr(report, "keywords", ())
        ]
        for status in ("passed", "failed", "error", "skipped")
    }
    if number := sum(map(len, ended.values())):
        without = sum(NO_BROWSER in str(report.longrepr) for report in ended["skipped"])
        reporter.write_line(f"tests in a browser: {number}, skipped for want of one: {without}")


@pytest.fixture(scope="session", autouse=True)
def _user_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is cached of stores is not to lie with the user who runs the tests."""
    os.environ["HSIAUG_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``make_once(name, make)``: a folder that all processes of this run of the tests share, filled
    by ``make(folder)`` in the first that asks; another one waits.
    """
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def filled(name: str, make: Callable[[Path], object]) -> Path:
        folder = common / name
        with FileLock(common / f"{name}.lock"):
            if not folder.exists():
                unfinished = tmp_path_factory.mktemp(name)
                make(unfinished)
                unfinished.rename(folder)
        return folder.resolve()

    return filled


@pytest.fixture(scope="session")
def toy() -> Scene:
    """48×48 pixels, 20 bands, 5 very unequal classes."""
    return toy_scene()


@pytest.fixture(scope="session")
def indian_pines() -> Scene:
    """The real scene, from the installed tensorly wheel."""
    return load_scene("indian_pines")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scenes for tests; skips where there is none."""
    folder = Path(os.environ.get("HSIAUG_DATA_DIR", SHARED))
    if not (folder / "ground_truth_only").is_dir():
        pytest.skip(f"no folder of real test scenes at {folder}; set HSIAUG_DATA_DIR")
    return folder


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The built-ins and the dummy package."""
    install(tmp_path / "site", "dummy_plugin", DUMMY)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "dummy_plugin", raising=False)
    names = ("hsiaug_builtin.baselines", "hsiaug_builtin.classifiers", "dummy_plugin")
    return build_registry([EntryPoint(name, name, "hsiaug") for name in names])


@pytest.fixture
def spec(toy: Scene, plugins: Registry) -> Callable[..., TrialSpec]:
    """``spec(generator="smote", lam=0.5, …)``: a trial on the toy scene."""

    def make(
        generator: str = "dummy", classifier: str = "nearest", lam: float = 1.0, **changes: Any
    ) -> TrialSpec:
        def plugin(kind: Any, name: str) -> PluginSpec:
            card = plugins.find(kind, name).load().card
            return plugin_spec(card, build_params(card, "tiny"), toy)

        trial = TrialSpec(
            task="pixels",
            scene=toy.name,
            scene_sha256=toy.sha256,
            protocol=parse_protocol("issd"),
            patch=5,
            seed=0,
            generator=plugin("generator", generator),
            classifier=plugin("classifier", classifier),
            rate=Rate(lam),
            omega=None,
        )
        return replace(trial, **changes)

    return make


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """See :mod:`tests.few_rounds`."""
    measure_few_rounds(monkeypatch)


@pytest.fixture
def few_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What samples show of their prompts is looked at in tests/quality/test_prompt_fidelity.py; most
    time of 'hsiaug inspect' goes into samples for it.
    """
    ask_few_prompts(monkeypatch)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """See :mod:`tests.few_steps`."""
    take_few_steps(monkeypatch)


@pytest.fixture
def blank_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what writes pictures too, see :mod:`tests.blank_pictures`. What they show is
    looked at in tests that are marked ``drawn``, in tests/quality and in tests/report.
    """
    if request.node.get_closest_marker("drawn") is None:
        leave_pictures_blank(monkeypatch)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
