"""Faults of the disk and of the system under whole commands: is anything lost, changed, or told
badly?

    python -m benchmarks.faults.campaign pieces commands runs learnt mounts odd --seed 0

Prints a line for every case, and a table in Markdown, also after Ctrl-C. A case survives if it ends
with exit code 0, or with 2 and one error that names the path; without a traceback; with all that
was recorded before; and if the same command on a good disk then ends as an undisturbed one, bit for
bit. Needs Linux; ``mounts`` needs to mount, as root.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import markdown, say
from benchmarks.faults.disk import AWAY, KINDS, environment, faulty_disk
from benchmarks.faults.pieces import each_fault, pieces
from benchmarks.faults.soak import contents
from hsiaug.cli.main import main as hsiaug_main
from hsiaug.trial import record_cache
from hsiaug.trial.store import Store
from hsiaug.trial.upkeep import verify

TINY = ("--lambda", "0.5", "--classifier", "svm", "--preset", "tiny", "--device", "cpu")
PLAN = ("benchmark", "toy", "--generator", "smote,mixup", *TINY)
LEARNT = ("benchmark", "toy", "--generator", "txt2hsi", *TINY)
"""A plan that leaves what was prepared, and fits that took long, in the cache."""
LONGEST = 300.0
"""Seconds after which a command hangs."""
OLD = b"what was there before"
FORK = multiprocessing.get_context("fork")


@dataclass
class Count:
    """Of a family of cases. lost: names of those that did not survive."""

    tried: int = 0
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """A command: its exit code and what it wrote on standard error. fired: the operation of the
    disk that failed.
    """

    code: int | None
    said: str
    fired: str = ""

    def faults(self, *paths: Path) -> Iterator[str]:
        """What is wrong with how it ended, where an error may only be of these paths."""
        errors = [line for line in self.said.splitlines() if line.startswith("error:")]
        whole = " ".join(self.said.split())
        if "Traceback" in self.said:
            yield f"a traceback: {whole[-300:]}"
        if self.code not in (0, 2) or len(errors) != (self.code == 2):
            yield f"exit code {self.code} with {len(errors)} errors: {whole[-300:]}"
        elif self.code == 2 and not any(str(path) in whole for path in paths):
            yield f"an error that does not name the path: {whole[-300:]}"


class Campaign:
    """Counts by family. folder: for all that is written. store: of two draws of PLAN."""

    def __init__(self, folder: Path, seed: int, most: int) -> None:
        self.folder, self.most = folder, most
        self.dice, self.counts = random.Random(seed), defaultdict[str, Count](Count)
        self.store = folder / "whole"
        good([*PLAN, "--seeds", "2", "--store", str(self.store)])

    def case(self, family: str, name: str, faults: Sequence[str]) -> None:
        """Count a case. faults: what was wrong."""
        self.counts[family].tried += 1
        if faults:
            self.counts[family].lost.append(name)
        say(f"{family}: {name}: {'; '.join(['LOST', *faults])[:900] if faults else 'survived'}")

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        return self.folder / name


def run(words: Sequence[str], env: dict[str, str] | None = None, umask: int = -1) -> Ended:
    """Run a command to its end."""
    command = [sys.executable, "-m", "hsiaug", *words]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=LONGEST, umask=umask
    )
    return Ended(done.returncode, done.stderr)


def good(words: Sequence[str]) -> None:
    """Run a command that must end well."""
    if (ended := run(words)).code:
        raise SystemExit(f"{' '.join(words)}: {ended.said}")


def forked(words: Sequence[str], folder: Path, kind: str, at: int, base: Path) -> Ended:
    """Run a command in a copy of this process, whose disk under ``folder`` is a faulty one. base:
    for what it says.
    """
    said, log = base / "said", base / "log"
    log.write_text("")
    process = FORK.Process(target=_command, args=(words, folder, kind, at, said, log))
    process.start()
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
    return Ended(process.exitcode, said.read_text(), log.read_text().strip())


def _command(words: Sequence[str], folder: Path, kind: str, at: int, said: Path, log: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    sys.argv = ["hsiaug", *words]
    with faulty_disk(folder, kind, at, log):
        hsiaug_main()


def store_faults(store: Path, before: Mapping[str, Any], quiet: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a store, which held ``before``."""
    found = contents(store) if (store / "records").is_dir() else {}
    yield from (f"{hash} is lost" for hash in before.keys() - found.keys())
    yield from (f"{hash} is changed" for hash in found if found[hash] != quiet[hash])
    if found:
        yield from (f"{one.name}: {one.fault}" for one in verify(Store(store), lambda *_: None))


def again_faults(words: Sequence[str], store: Path, quiet: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the same command on a good disk."""
    ended = run(words)
    if ended.code:
        yield f"again: exit code {ended.code}: {ended.said[-300:]}"
    elif contents(store) != quiet:
        yield "again: other records than in a quiet run"


# Families


def do_pieces(campaign: Campaign) -> None:
    """Every piece, every way to fail, every operation."""
    records = [{**record, "predictions_sha256": None} for record in Store(campaign.store).records()]
    record_cache.WORTH_WRITING = (1, 0.0)
    for name, piece in pieces(records).items():
        for kind in KINDS:
            if piece.makes and kind == "gone":
                continue
            faults: list[str] = []
            tried = 1
            try:
                tried = each_fault(piece, kind, campaign.fresh("piece"))
            except Exception as error:
                faults = [f"{type(error).__name__}: {error}"]
            campaign.counts["a piece of the program, each operation"].tried += max(0, tried - 1)
            if tried:
                campaign.case("a piece of the program, each operation", f"{name}, {kind}", faults)


def commands(out: Path, store: Path, source: Path) -> dict[str, list[str]]:
    """Words of commands that write below ``out``."""
    reports = {
        f"report, {ending}": ["report", "--store", str(store), "--out", f"{out}/x.{ending}"]
        for ending in ("md", "tex", "csv", "json", "html", "png")
    }
    toy, cpu = ["toy", "--patch", "5"], ["--device", "cpu"]
    return reports | {
        "compare": [
            "compare",
            "none/svm",
            "smote@0.5/svm",
            "--store",
            str(store),
            "--out",
            f"{out}/x.csv",
        ],
        "cite": ["cite", "--store", str(store), "--out", f"{out}/x.md"],
        "split": [
            "split",
            *toy,
            "--out",
            f"{out}/x.png",
            "--out",
            f"{out}/x.npz",
            "--out",
            f"{out}/x.mat",
        ],
        "generate": [
            "generate",
            *toy,
            "--generator",
            "smote",
            "--lambda",
            "1",
            *cpu,
            "--out",
            f"{out}/x.npz",
        ],
        "inspect": ["inspect", *toy, "--generator", "smote", *cpu, "--out", f"{out}/look"],
        "suggest": ["suggest", "toy", "-n", "2", "--out", f"{out}/x.csv"],
        "datasets add": [
            "datasets",
            "add",
            f"{source}/c.npy",
            "--labels",
            f"{source}/l.npy",
            "--out",
            f"{out}/x.toml",
        ],
        "plugins new": ["plugins", "new", "mine", "--kind", "generator", "--out", str(out)],
        "store merge": ["store", "merge", f"{out}/merged", str(store)],
    }


def seen(folder: Path) -> dict[str, bytes]:
    """Files that are not hidden."""
    named = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        str(name): path.read_bytes()
        for name, path in named.items()
        if not any(part.startswith(".") for part in name.parts) and name.suffix != ".lock"
    }


def do_commands(campaign: Campaign) -> None:
    """Commands whose files lie on a faulty disk."""
    source = campaign.fresh("source")
    np.save(source / "c.npy", np.random.default_rng(0).random((12, 10, 4), dtype=np.float32))
    np.save(source / "l.npy", np.arange(120).reshape(12, 10) % 4)
    base = campaign.fresh("command")
    out = base / "disk"
    for name, words in commands(out, campaign.store, source).items():
        quiet = []
        for _ in range(2):
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            ended = forked(words, out, "full", 10**9, base)
            if ended.code:
                raise SystemExit(f"{name}: {ended}")
            quiet.append(seen(out))
        # Some files hold the time.
        same = {key: value for key, value in quiet[0].items() if quiet[1][key] == value}
        for _ in range(campaign.most):
            kind, at = campaign.dice.choice(list(KINDS)), campaign.dice.randint(1, 9)
            shutil.rmtree(out)
            out.mkdir()
            old = (
                dict.fromkeys(quiet[0], OLD)
                if set(words) & {"report", "compare", "split", "cite"}
                else {}
            )
            for file, content in old.items():
                (out / file).write_bytes(content)
            ended = forked(words, out, kind, at, base)
            if not ended.fired:
                continue
            if (gone := out.with_name(out.name + AWAY)).exists():
                # What makes its folder may make it anew.
                shutil.rmtree(out, ignore_errors=True)
                gone.rename(out)
            faults = [*ended.faults(out), *_file_faults(seen(out), old, same)]
            for path in out.glob("[!.]*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            again = forked(words, out, kind, 10**9, base)
            now = seen(out)
            if (
                again.code
                or now.keys() != quiet[0].keys()
                or any(now[key] != same[key] for key in same)
            ):
                faults.append(f"again: exit code {again.code}, {sorted(now)}: {again.said[-300:]}")
            campaign.case("a command's files", f"{name}, {kind} {at}, {ended.fired}", faults)


def _file_faults(
    found: Mapping[str, bytes], old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> Iterator[str]:
    """What is wrong with files, which were old and are to be new."""
    yield from (f"{file} is gone" for file in old.keys() - found.keys())
    for file, content in found.items():
        if content != old.get(file) and content != new.get(file, content):
            yield f"{file} is neither old nor new"


def do_runs(campaign: Campaign) -> None:
    """Benchmarks that go on with a store that lies on a faulty disk."""
    _runs(campaign, "a benchmark's store", [*PLAN, "--seeds", "3"], campaign.store, 60)


def do_learnt(campaign: Campaign) -> None:
    """Benchmarks that begin a store on a faulty disk, with what a generator learns and how far its
    training is.
    """
    _runs(
        campaign,
        "a benchmark's store, with a generator that learns",
        [*LEARNT, "--seeds", "1"],
        None,
        120,
    )


def _runs(
    campaign: Campaign, family: str, plan: Sequence[str], begun: Path | None, operations: int
) -> None:
    """Runs of a plan, all of whose processes have the faulty disk. begun: the store to go on
    with.
    """
    site, quiet_store = campaign.fresh("site"), campaign.fresh("quiet") / "store"
    good([*plan, "--store", str(quiet_store)])
    quiet = contents(quiet_store)
    for kind in [kind for kind in KINDS for _ in range(campaign.most)]:
        base = campaign.fresh("run")
        store, log = base / "store", base / "log"
        log.write_text("")
        before: dict[str, Any] = {}
        if begun is not None:
            shutil.copytree(begun, store)
            before = contents(store)
        at = campaign.dice.randint(1, operations)
        words = [*plan, "--store", str(store), "--jobs", campaign.dice.choice("12")]
        ended = run(words, environment(site, store, kind, at, log))
        faults = list(ended.faults(store))
        if (away := store.with_name(store.name + AWAY)).exists():
            if store.exists():
                faults.append("the store was begun anew")
                shutil.rmtree(store)
            away.rename(store)
        faults += store_faults(store, before, quiet)
        faults += again_faults(words, store, quiet)
        fired = " ".join(log.read_text().split())
        if fired:
            campaign.case(family, f"{kind} {at} ({fired})", faults)
        elif faults:
            raise SystemExit(f"an undisturbed run: {faults}")


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system in memory."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _remount(folder: Path, options: str) -> bool:
    """Change a file system; False where somebody is just writing."""
    return not subprocess.run(
        ["mount", "-o", f"remount,{options}", str(folder)], capture_output=True
    ).returncode


def during(words: Sequence[str], store: Path, after: int, strike: Callable[[], object]) -> Ended:
    """Run a command, and do something once its store has so many records."""
    command = [sys.executable, "-m", "hsiaug", *words]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and len(list(store.glob("records/??/*"))) < after:
            time.sleep(0.005)
        strike()
        _, said = running.communicate(timeout=LONGEST)
    return Ended(running.returncode, said)


def _rename_away(store: Path) -> None:
    if store.exists():
        store.rename(f"{store}{AWAY}")


def do_mounts(campaign: Campaign) -> None:
    """Real disks: of 64 MB that is full at some time, without inodes, read-only at some time; and a
    store that goes.
    """
    disk = campaign.folder / "mount"
    quiet_store = campaign.fresh("quiet") / "store"
    words = [*PLAN, "--seeds", "4"]
    good([*words, "--store", str(quiet_store)])
    quiet = contents(quiet_store)
    for i in range(4 * campaign.most):
        family = (
            "a disk of 64 MB that gets full",
            "no inodes left",
            "read-only at some time",
            "the store goes away",
        )[i % 4]
        after, free = campaign.dice.randrange(3, len(quiet)), campaign.dice.randrange(8, 400)
        options = (
            f"size=64m,nr_inodes={campaign.dice.randrange(12, 120)}" if i % 4 == 1 else "size=64m"
        )
        with mounted(disk, options):
            store = disk / "store"
            asked = [*words, "--store", str(store), "--jobs", campaign.dice.choice("12")]
            if i % 4 == 0:
                (disk / "filler").write_bytes(bytes(2**26 - 1024 * free))
                ended = run(asked)
                (disk / "filler").unlink()
            elif i % 4 == 1:
                ended = run(asked)
                _remount(disk, "nr_inodes=100000")
            elif i % 4 == 2:

                def read_only() -> None:
                    while not _remount(disk, "ro"):
                        time.sleep(0.002)

                ended = during(asked, store, after, read_only)
                _remount(disk, "rw")
            else:
                ended = during(asked, store, after, partial(_rename_away, store))
            faults = list(ended.faults(store))
            if i % 4 == 3 and (away := disk / f"store{AWAY}").exists():
                if store.exists():
                    faults.append("the store was begun anew")
                    shutil.rmtree(store)
                away.rename(store)
            faults += store_faults(store, {}, quiet)
            faults += again_faults(asked, store, quiet)
            campaign.case(
                family, f"{options}, {free} kB, after {after}: exit code {ended.code}", faults
            )


def do_odd(campaign: Campaign) -> None:
    """Modes of new files, names as long as names can be, a clock that was set back."""
    quiet = contents(campaign.store)
    for mask in (0o077, 0o000, 0o777):
        store = campaign.fresh("odd") / "store"
        words = [*PLAN, "--seeds", "2", "--store", str(store)]
        ended = run(words, umask=mask)
        faults = (
            list(ended.faults(store)) + list(store_faults(store, {}, quiet))
            if mask != 0o777
            else []
        )
        writable = [
            path for path in store.rglob("*") if path.stat().st_mode & 0o002 and mask == 0o077
        ]
        faults += [f"{path} can be written by all" for path in writable]
        campaign.case("umask", f"{mask:03o}", [*faults, *again_faults(words, store, quiet)])
    base = campaign.fresh("odd")
    for name in ("s" * 255, "ü" * 127, "s" * 256):
        store = base / name
        words = [*PLAN, "--seeds", "2", "--store", str(store)]
        ended = run(words)
        faults = list(ended.faults(store, base))
        if len(os.fsencode(name)) <= 255:
            faults += [] if ended.code == 0 else [f"exit code {ended.code}"]
            faults += store_faults(store, {}, quiet)
        campaign.case("names of 255 bytes", f"a store of {len(os.fsencode(name))}", faults)
    source = campaign.fresh("source")
    np.save(source / "c.npy", np.random.default_rng(0).random((12, 10, 4), dtype=np.float32))
    np.save(source / "l.npy", np.arange(120).reshape(12, 10) % 4)
    for name, words in commands(base, campaign.store, source).items():
        for length in (255, 256):
            place = next(i for i, word in enumerate(words) if word.startswith(str(base)))
            path = Path(words[place])
            if path == base:
                continue
            long = [*words]
            long[place] = str(path.with_name("x" * (length - len(path.suffix)) + path.suffix))
            ended = run(long)
            faults = list(ended.faults(Path(long[place]), base))
            faults += [
                f"{left.name} is left" for left in base.iterdir() if left.name.startswith(".")
            ]
            campaign.case("names of 255 bytes", f"{name}, {length}: exit code {ended.code}", faults)
    _set_back(campaign, quiet)


def _set_back(campaign: Campaign, quiet: Mapping[str, Any]) -> None:
    """Records and files of a year ahead, as a clock leaves them that was wrong and is set back."""
    for what in ("records", "times of files", "both, with a folder that a killed run left"):
        store = campaign.fresh("odd") / "store"
        shutil.copytree(campaign.store, store)
        for file in store.glob("records/??/*/record.json"):
            if what != "times of files":
                text = file.read_text("utf-8")
                created = json.loads(text)["created"]
                file.write_text(
                    text.replace(created, f"{int(created[:4]) + 1}{created[4:]}"), "utf-8"
                )
        left = store / "records" / ".0123456789abcdef.0123456789ab"
        if what.startswith("both"):
            left.mkdir()
            (left / ".hsiaug").write_text(f"hsiaug temporary folder {left.name}\n")
        ahead = time.time() + 366 * 86400
        for path in (store, *store.rglob("*")):
            if what != "records":
                os.utime(path, (ahead, ahead))
        for more in ([], ["--existing", "all"], ["--seeds", "2"]):
            words = [*PLAN, "--seeds", "2", "--store", str(store), *more]
            ended = run(words)
            faults = [*ended.faults(store), *store_faults(store, quiet, quiet)]
            if ended.code:
                faults.append(f"exit code {ended.code}")
            campaign.case("a clock that was set back", f"{what} {' '.join(more)}", faults)
        ended = run(
            ["store", "merge", str(store.with_name("merged")), str(store), str(campaign.store)]
        )
        faults = [*ended.faults(store), *store_faults(store.with_name("merged"), quiet, quiet)]
        campaign.case("a clock that was set back", f"{what}, merge", faults)


FAMILIES = {
    "pieces": do_pieces,
    "commands": do_commands,
    "runs": do_runs,
    "learnt": do_learnt,
    "mounts": do_mounts,
    "odd": do_odd,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="+", choices=FAMILIES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=5, help="cases of each command or way to fail")
    asked = parser.parse_args()
    say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder), asked.seed, asked.most)
        with suppress(KeyboardInterrupt):
            for family in asked.families:
                FAMILIES[family](campaign)
        rows = [
            (name, str(one.tried), str(one.tried - len(one.lost)), str(len(one.lost)))
            for name, one in campaign.counts.items()
        ]
    say("\n".join(markdown(("family", "tried", "survived", "lost"), rows)))


if __name__ == "__main__":
    main()
