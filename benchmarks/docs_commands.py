"""Runs every command of README and docs as it stands there: ``python -m benchmarks.docs_commands
FOLDER --limit 60``.

Each runs in a folder of its own below FOLDER, which holds what the pages name (``my_scene.toml``,
records, ...), small; those that belong together share one (``TOGETHER``). Nothing else is made
small: a command that takes longer than ``--limit`` seconds is stopped, and that is what the table
says of it.

The table, benchmarks/results/docs_commands/commands.csv, is written after every command. The same
line again goes on: it runs what has not ended well in this version, so that a second run with a
higher limit comes to the slow ones.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.common import HERE, read_csv, say, write_csv
from hsiaug import __version__
from hsiaug.trial.store import Store
from tests.docs import small_world
from tests.docs.pages import PAGES, ROOT, blocks, commands
from tests.docs.small_commands import HASH, words_of

TOGETHER = (
    (r"docs/quickstart", "quickstart"),
    (r"hsiaug labels|--by labels", "labels"),
    (r"my_suite\.toml(?!.*--data)", "suite"),
    (r"my_suite\.toml", "suite-data"),
)
"""(regular expression of a page and command, folder): commands of which one needs what another one
writes
"""
TABLE = HERE / "results" / "docs_commands" / "commands.csv"
NOT_RUN = (
    (r"benchmark oscd|generate oscd|inspect oscd|split oscd|datasets fetch", "needs a download"),
    (r"--on (dask:|slurm)(?!.*--dry-run)", "needs a cluster"),
    (
        r"(check|--generator) (my-|shrunk-)|--protocol edge:",
        "needs the plugin that the page writes, installed",
    ),
    (r"hsiaug (label|serve) ", "serves a page until it is stopped"),
    (r"--store my-results", "needs records of txt2hsi under that name"),
)
"""(regular expression of a command, why it is not run)"""
LONGEST = 160
"""Characters kept of the last line that a command prints."""


def typed() -> dict[str, str]:
    """{command: page and line where it stands first}, of all commands of hsiaug."""
    found: dict[str, str] = {}
    for page in (ROOT / "docs" / "quickstart.md", *PAGES):
        for command in commands(page):
            words = words_of(command)
            if words is not None:
                found.setdefault(shlex.join(("hsiaug", *words)), str(command))
    return found


def why_not(line: str) -> str:
    """Why a command is not run; "" where it is."""
    return next((why for pattern, why in NOT_RUN if re.search(pattern, line)), "")


def world(folder: Path) -> Path:
    """A folder with all files that the pages name, made once."""
    if not (folder / "my_suite.toml").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        small_world.build(folder)
        names = {"Maize": "track", "Reeds": "pond"}
        scene = (folder / "flight.toml").read_text("utf-8")
        (folder / "my_scene.toml").write_text(
            re.sub("|".join(names), lambda m: names[m[0]], scene), "utf-8"
        )
        shutil.copy(folder / "pairs.toml", folder / "my_pairs.toml")
        # Picks are answered by a person.
        shutil.copy(folder / "filled.csv", folder / "picks.csv")
        (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
        (suite,) = (
            block for block in blocks(ROOT / "docs" / "suites.md") if block.language == "toml"
        )
        (folder / "my_suite.toml").write_text(suite.text, "utf-8")
    return folder


def place_of(line: str, page: str) -> str:
    """The name of the folder where a command runs."""
    own = hashlib.sha256(line.encode()).hexdigest()[:12]
    return next((name for pattern, name in TOGETHER if re.search(pattern, f"{page} {line}")), own)


def filled(folder: Path, made: Path) -> Path:
    """A copy of the world, made when it is used first; without its records where commands write
    their own.
    """
    if not folder.exists():
        small_world.copy(made, folder)
        if folder.name in dict(TOGETHER).values():
            shutil.rmtree(folder / "hsiaug-results")
    return folder


def prepared(line: str, folder: Path) -> list[str]:
    """The words to type: as they stand, but for the hash of a record that only the author's store
    has.
    """
    words = shlex.split(line)
    if words[1:3] == ["datasets", "add"]:
        cube = (folder / words[3]).with_suffix("")
        for written in (f"{cube}.toml", f"{cube}_labels.npy", f"{cube}_look.png"):
            Path(written).unlink(missing_ok=True)
    if words[1] == "suggest":
        (folder / "picks.csv").unlink(missing_ok=True)
    place = words.index("--record") + 1 if "--record" in words else 2
    if (words[1] == "show" or "--record" in words) and re.fullmatch(HASH, words[place]):
        hashes = {r["hash"]: r for r in Store(folder / "hsiaug-results").records()}
        if not any(known.startswith(words[place]) for known in hashes):
            scene = Path(words[2]).stem
            fitting = [
                h
                for h, r in hashes.items()
                if words[1] == "show" or r["spec"]["scene"]["name"] == scene
            ]
            words[place] = min(fitting, default=words[place])
    return words


def run(words: list[str], folder: Path, limit: float) -> tuple[str, str, float, str]:
    """(outcome, exit code, seconds, last line) of a command."""
    program = str(Path(sys.executable).with_name("hsiaug"))
    start, stopped = time.monotonic(), False
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(
        [program, *words[1:]], cwd=folder, start_new_session=True, **pipes
    ) as process:  # type: ignore[call-overload]
        try:
            out, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            stopped = True
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    lines = out.decode("utf-8", "replace").replace(str(folder), ".").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")[:LONGEST]
    outcome = "stopped" if stopped else "failed" if process.returncode else "ok"
    return outcome, "" if stopped else str(process.returncode), time.monotonic() - start, last


def row(line: str, page: str, outcome: str, **facts: str) -> dict[str, str]:
    """A row of the table."""
    day = datetime.now(UTC).date().isoformat()
    device = f"{'GPU' if shutil.which('nvidia-smi') else 'CPU'}, {os.cpu_count()} cores"
    usual = {"exit code": "", "seconds": "", "last line": ""}
    where = {"version": __version__, "date": day, "device": device}
    return {"command": line, "page": page, "outcome": outcome, **usual, **facts, **where}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where commands run; kept for the next time")
    parser.add_argument(
        "--limit", type=float, default=60.0, help="seconds after which a command is stopped"
    )
    parser.add_argument("--only", default="", help="regular expression: only commands that match")
    asked = parser.parse_args()
    made = world(asked.folder.resolve() / "world")
    pages = typed()
    old = {r["command"]: r for r in read_csv(TABLE)} if TABLE.is_file() else {}
    table = {
        line: old.get(line) or row(line, page, "not run", **{"last line": "no time"})
        for line, page in pages.items()
    }
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    for line, page in pages.items():
        known, why = table[line], why_not(line)
        if why:
            table[line] = row(line, page, "not run", **{"last line": why})
        elif re.search(asked.only, line) and (
            known["outcome"] != "ok" or known["version"] != __version__
        ):
            folder = filled(made.parent / place_of(line, page), made)
            words = prepared(line, folder)
            outcome, code, seconds, last = run(words, folder, asked.limit)
            table[line] = row(
                line,
                page,
                outcome,
                **{"exit code": code, "seconds": f"{seconds:.0f}", "last line": last},
            )
            beside = (
                r["outcome"]
                for r in table.values()
                if place_of(r["command"], r["page"]) == folder.name
            )
            if outcome == "failed" and "stopped" in beside:
                table[line] = row(
                    line, page, "not run", **{"last line": "needs what a stopped command writes"}
                )
            say(f"{outcome}\t{seconds:.0f} s\t{page}\t{shlex.join(words)}\t{last}")
        write_csv(TABLE, [{**table[one], "page": at} for one, at in pages.items()])


if __name__ == "__main__":
    main()
