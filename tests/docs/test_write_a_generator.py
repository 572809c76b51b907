"""docs/develop/plugins.md and plugins-check.md: who does what they say gets what they show."""

import re
import shlex
from pathlib import Path

import pytest

from hsiaug.trial.store import Store
from tests import in_process
from tests.third_party import environment, hsiaug
from tests.wheels import CAN_BUILD, install_by_hand, install_wheel

DOCS = Path(__file__).parents[2] / "docs" / "develop"
PAGES = "".join((DOCS / name).read_text("utf-8") for name in ("plugins.md", "plugins-check.md"))
NAME = "hsiaug-shrunk-gauss"


def blocks(language: str) -> list[str]:
    """The code blocks of the pages in that language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """The commands of the page about its generator."""
    typed = [
        shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()
    ]
    return [words for words in typed if "shrunk-gauss" in " ".join(words)]


def generator() -> str:
    """The module of the page that has an entry point."""
    (module,) = [block for block in blocks("python") if '"shrunk-gauss"' in block]
    return module


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of one who followed the page up to its benchmark, and the environment with the
    package installed.
    """
    folder = tmp_path_factory.mktemp("follower")
    new = commands()[0]
    assert new[:3] == ["hsiaug", "plugins", "new"]
    answer = hsiaug(*new[1:], cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == blocks("text")[0]
    (folder / NAME / "hsiaug_shrunk_gauss.py").write_text(generator(), encoding="utf-8")
    assert ["pip", "install", "-e", NAME] in commands()
    (install_wheel if CAN_BUILD else install_by_hand)(folder / NAME, folder / "site")
    return folder, environment(folder / "site")


def test_the_generator_of_the_page_passes_the_check(followed: tuple[Path, dict[str, str]]) -> None:
    folder, env = followed
    check = ["hsiaug", "plugins", "check", "shrunk-gauss"]
    assert check in commands()
    answer = hsiaug(*check[1:], env=env, cwd=folder)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "ok\tdeterminism" in answer.stdout and "FAILED" not in answer.stdout


def test_the_benchmark_prints_the_table_of_the_page(followed: tuple[Path, dict[str, str]]) -> None:
    folder, env = followed
    (benchmark,) = [words for words in commands() if words[:3] == ["hsiaug", "benchmark", "toy"]]
    answer = hsiaug(*benchmark[1:], "--jobs", "1", env=env, cwd=folder)
    assert answer.returncode == 0, answer.stderr

    shown = next(block for block in blocks("text") if block.startswith("AA in %")).splitlines()
    lines = answer.stdout.splitlines()
    printed = lines[lines.index(shown[0]) :][: len(shown)]
    for there, here in zip(shown[1:], printed[1:], strict=True):
        name = there.rpartition("  ")[0]
        assert here.startswith(name)
        # Other builds of the libraries round differently.
        assert mean(here) == pytest.approx(mean(there), abs=1.0)


def test_the_loss_of_a_built_in_generator_is_changed_and_benchmarked(
    tmp_path: Path,
) -> None:
    (module,) = [block for block in blocks("python") if '"specdm-squared"' in block]
    package = tmp_path / "hsiaug-specdm-squared"
    words = ("plugins", "new", "specdm-squared", "--kind", "generator")
    answer = in_process.hsiaug(*words, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    (package / "hsiaug_specdm_squared.py").write_text(module, encoding="utf-8")
    install_by_hand(package, tmp_path / "site")
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    (benchmark,) = [words for words in lines if "specdm,specdm-squared" in words]
    asked = [*benchmark[1:], "--seeds", "1", "--jobs", "1"]
    answer = in_process.hsiaug(*asked, site=tmp_path / "site", cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr

    records = Store(tmp_path / "hsiaug-results").each()
    facts = {r["spec"]["generator"]["name"]: r["provenance"] for r in records}
    assert facts["specdm-squared"] != facts["specdm"], (facts["specdm"], facts["specdm-squared"])


def mean(row: str) -> float:
    """The mean of a row of results."""
    return float(row.rpartition("  ")[2].partition("±")[0])
