"""Random commands on one store for hours, some at the same time, some killed: is a record lost,
damaged or changed?

    python -m benchmarks.faults.soak --minutes 120 --seed 0

Commands are benchmarks of parts of one plan (some anew), reports, merges, verifications and answers
of ``hsiaug label``. Between them the cache or records are deleted, or records go into a pack as
earlier versions wrote it. In the end the whole plan is run once more and compared with a quiet run
of it. Prints a line for every action, and counts at the end. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import say
from hsiaug.trial.store import Store
from hsiaug.trial.upkeep import verify
from hsiaug.ui.answers import AnswerFile

GENERATORS = ("smote", "mixup", "noise", "duplicate")
RATES = ("0.5", "1")
SEEDS = 4
ENDINGS = ("md", "tex", "csv", "json", "html", "png")
SHAPE = (1000, 1000)
"""Of a scene that is labelled; no pixel is asked for twice."""
REFUSALS = {
    "label": ("must be of one page at a time",),
    "report": ("a picture of gains needs a generator beside the controls",),
}
"""What is right to be refused: a second page at the same answers, a picture of records that compare
nothing.
"""
ANSWERING = """
import sys
from pathlib import Path
from hsiaug.ui.answers import AnswerFile, PixelAnswer

given = AnswerFile(Path(sys.argv[1]), (1000, 1000))
with given.held():
    for number in range(len(given.given), len(given.given) + 40):
        given.add(PixelAnswer(((number // 1000, number % 1000),), "class", f"class {number % 5}"))
        print(number + 1, flush=True)
"""
"""Says how many answers there are, each time that one is on disk."""


def plan(generators: list[str], rates: list[str], seeds: str, store: Path) -> list[str]:
    """The words of a benchmark."""
    words = [
        "benchmark",
        "toy",
        "--generator",
        ",".join(generators),
        "--lambda",
        ",".join(rates),
        "--seeds",
        seeds,
    ]
    return [
        *words,
        "--classifier",
        "svm",
        "--preset",
        "tiny",
        "--device",
        "cpu",
        "--store",
        str(store),
    ]


def contents(store: Path) -> dict[str, Any]:
    """What must be equal in every run, by hash: all but times, memory and the command."""
    keys = ("status", "metrics", "predictions_sha256", "samples", "audit", "spec")
    return {record["hash"]: {key: record[key] for key in keys} for record in Store(store).records()}


def pack(store: Path) -> None:
    """Put all records of folders into a pack, as earlier versions did."""
    (store / "packs").mkdir(exist_ok=True)
    made = sqlite3.connect(store / "packs" / f"{random.getrandbits(64):016x}.sqlite")
    with made:
        made.execute("CREATE TABLE records (hash, created, record BLOB, PRIMARY KEY (hash))")
        made.execute("CREATE TABLE predictions (hash PRIMARY KEY, npz BLOB)")
        for file in store.glob("records/??/*/record.json"):
            content = file.read_bytes()
            row = (file.parent.name, json.loads(content)["created"], content)
            made.execute("INSERT INTO records VALUES (?, ?, ?)", row)
            for npz in file.parent.glob("predictions.npz"):
                made.execute(
                    "INSERT INTO predictions VALUES (?, ?)", (file.parent.name, npz.read_bytes())
                )
    made.close()
    for file in store.glob("records/??/*/record.json"):
        shutil.rmtree(file.parent)


@dataclass
class Soak:
    """folder: of the store and what is made of it. quiet: contents of an undisturbed run of the
    whole plan.
    """

    folder: Path
    dice: random.Random
    quiet: dict[str, Any]
    seen: set[str] = field(default_factory=set)
    acknowledged: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def words(self) -> tuple[str, list[str]]:
        """An action, and the arguments of Python."""
        dice, store = self.dice, self.store
        kinds = (*["benchmark"] * 5, "anew", "anew", "report", "merge", "verify", "label", "label")
        kind = dice.choice(kinds) if self.seen else "benchmark"
        if kind in ("benchmark", "anew"):
            some = sorted(dice.sample(GENERATORS, dice.randint(1, 2)))
            first = dice.randrange(SEEDS)
            seeds = f"{first}-{dice.randrange(first, SEEDS)}"
            words = plan(some, sorted(dice.sample(RATES, dice.randint(1, 2))), seeds, store)
            words += [
                "--jobs",
                dice.choice(("1", "2")),
            ]
        elif kind == "label":
            return kind, ["-c", ANSWERING, str(self.folder / "answers.csv")]
        else:
            words = {
                "report": [
                    "report",
                    "--store",
                    str(store),
                    "--out",
                    f"{self.folder}/x.{dice.choice(ENDINGS)}",
                ],
                "merge": [
                    "store",
                    "merge",
                    *map(str, dice.sample((store, self.folder / "other"), 2)),
                ],
                "verify": ["store", "verify", str(store)],
            }[kind]
        return kind, ["-m", "hsiaug", *words]

    def act(self) -> None:
        """One or two commands at a time, of which some are killed; or something between them."""
        if self.seen and self.dice.random() < 0.1:
            kind = self.dice.choice(("cache deleted", "packed", "records deleted"))
            if kind == "packed":
                pack(self.store)
            elif kind == "cache deleted":
                shutil.rmtree(self.store / "cache", ignore_errors=True)
            else:
                self._prune()
            self.counts[kind] += 1
            say(kind)
            return
        begun = [self._begin(*self.words()) for _ in range(self.dice.choice((1, 1, 2)))]
        for end in begun:
            end()

    def _prune(self) -> None:
        """Delete all packs and half of the folders of records, so that there is something to run
        again.
        """
        shutil.rmtree(self.store / "packs", ignore_errors=True)
        for file in self.store.glob("records/??/*/record.json"):
            if self.dice.random() < 0.5:
                shutil.rmtree(file.parent)
        self.seen = set(Store(self.store).hashes())

    def _begin(self, kind: str, words: list[str]) -> Callable[[], None]:
        killed = self.dice.random() < 0.5
        limit = self.dice.uniform(0.5, 2 if kind == "label" else 6)
        (self.folder / "other" / "records").mkdir(parents=True, exist_ok=True)
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, *words], start_new_session=True, **pipes)

        def end() -> None:
            strikes = ""
            try:
                out, said = process.communicate(timeout=limit if killed else 600)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, said = process.communicate()
                strikes = f", killed after {limit:.1f} s" if process.returncode < 0 else ""
            self._judge(kind, process.returncode, bool(strikes), out, said)
            self.counts[f"{kind}, killed" if strikes else kind] += 1
            say(f"{kind}{strikes}: exit code {process.returncode}, {len(self.seen)} records")

        return end

    def _judge(self, kind: str, code: int, killed: bool, out: str, said: str) -> None:
        if not killed and code and not any(text in said for text in REFUSALS.get(kind, ())):
            self.faults.append(f"{kind}: exit code {code}: {said[-400:]}")
        if kind != "label" and "Traceback" in said:
            self.faults.append(f"{kind}: a traceback: {said[-400:]}")
        if kind == "label":
            self.acknowledged = max([self.acknowledged, *map(int, out.split())])

    def check(self) -> None:
        """No record is lost, damaged or other than in a quiet run; no acknowledged answer is
        lost.
        """
        if not self.store.is_dir():
            return
        found = contents(self.store)
        self.faults += [f"{hash} is lost" for hash in self.seen - found.keys()]
        self.faults += [
            f"{hash} is changed" for hash in found if found[hash] != self.quiet.get(hash)
        ]
        self.faults += [
            f"{one.name}: {one.fault}" for one in verify(Store(self.store), lambda *_: None)
        ]
        self.seen |= found.keys()
        answers = self.folder / "answers.csv"
        if self.acknowledged:
            given = AnswerFile(answers, SHAPE)
            if len(given.given) < self.acknowledged or given.wrong:
                self.faults.append(
                    f"answers: {len(given.given)} of {self.acknowledged}, {given.wrong[:1]}"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        whole = plan(list(GENERATORS), list(RATES), str(SEEDS), folder / "quiet")
        subprocess.run([sys.executable, "-m", "hsiaug", *whole], check=True, capture_output=True)
        soak = Soak(folder / "soak", random.Random(asked.seed), contents(folder / "quiet"))
        soak.folder.mkdir()
        say(f"seed {asked.seed}; a quiet run of {len(soak.quiet)} trials")
        until = time.monotonic() + 60 * asked.minutes
        actions = 0
        while time.monotonic() < until and not soak.faults:
            soak.act()
            soak.check()
            actions += 1
        again = plan(list(GENERATORS), list(RATES), str(SEEDS), soak.store)
        last = subprocess.run(
            [sys.executable, "-m", "hsiaug", *again], capture_output=True, text=True, check=False
        )
        soak._judge("benchmark", last.returncode, False, last.stdout, last.stderr)
        soak.check()
        same = contents(soak.store) == soak.quiet
        for fault in soak.faults:
            say(f"FAULT {fault}")
        said = ", ".join(f"{number} × {kind}" for kind, number in sorted(soak.counts.items()))
        say(
            f"{actions} actions ({said}); {len(soak.faults)} faults; equal to the quiet run: {same}"
        )
        sys.exit(0 if same and not soak.faults else 1)


if __name__ == "__main__":
    main()
