"""Every command that a report prints works as it is printed."""

import re
import shlex
from pathlib import Path

import pytest

from tests.in_process import hsiaug
from tests.third_party import DUMMY, install

UNFIT = DUMMY.replace("        progress(1, 1)", "        raise ValueError('no fit today')")
STORE = "my results"


def commands_in(text: str) -> list[list[str]]:
    """The words of the commands of a text; of ``… --by class · --cite`` those with each option."""
    found = []
    for line in text.splitlines():
        for printed in re.findall(r"hsiaug (?:report|benchmark) .*", line):
            first, *options = printed.strip().split(" · ")
            words = shlex.split(first)[1:]
            found.append(words)
            found += [[*words[: words.index("--by")], *shlex.split(one)] for one in options]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator that cannot learn."""
    return install(tmp_path_factory.mktemp("unfit") / "site", "dummy_plugin", UNFIT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Path:
    """A folder with a store of two splits, in which one of three generators failed."""
    folder = tmp_path_factory.mktemp("printed")
    words = "benchmark toy --generator smote,noise,dummy --classifier svm --view raw --lambda 0.5"
    words += " --times 1 --patch 3 --seeds 2 --protocol kshot:5"
    done = hsiaug(*words.split(), "--store", STORE, cwd=folder, site=site)
    assert done.returncode == 1, done.stderr
    return folder


def test_every_command_of_a_report_works_as_it_is_printed(
    folder: Path, site: Path, blank_pictures: None
) -> None:
    report = hsiaug("report", "--store", STORE, "--notes", cwd=folder, site=site)
    commands = commands_in(report.stdout)
    kinds = {word for words in commands for word in words if word.startswith("--")}
    assert {"--by", "--notes", "--out", "--cite", "--trial", "--seeds"} <= kinds
    shown = ""
    for words in commands:
        computes = ["--dry-run"] if words[0] == "benchmark" else []
        done = hsiaug(*words, *computes, cwd=folder, site=site)
        assert done.returncode == 0 and done.stdout + done.stderr, (words, done.stderr)
        shown += done.stdout * ("--trial" in words)
    (again,) = (words for words in commands_in(shown) if words[0] == "benchmark")
    assert hsiaug(*again, "--dry-run", cwd=folder, site=site).returncode == 0
    assert (folder / "report.html").is_file()
