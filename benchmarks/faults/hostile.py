"""Hostile input: does every command end with one error, in bounded time and memory, and leave
nothing behind?

    python -m benchmarks.faults.hostile files arrays --seed 0
    python -m benchmarks.faults.hostile --most 40

Prints a line for every case that is lost, and a table in Markdown, also after Ctrl-C. Each case is
a folder of made files and one command, in a copy of this process; where a package is installed
beside it, in a program. It survives with exit code 0, or 2 and one error, within 30 seconds of the
processor and 2 GB, without a traceback or a control code, and with no file left after an error, but
for finished records. Needs Linux, and root to open all files of the system.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.common import markdown, say
from benchmarks.faults.hostile_cases import FAMILIES, RUN, Case
from benchmarks.faults.hostile_scenes import OF_SCENES
from benchmarks.faults.hostile_stores import LEARNS, OF_STORES
from hsiaug.base.text import visible
from hsiaug.cli.main import main as hsiaug_main
from hsiaug.registry.lookup import registry

PROCESSOR, WAITED = 30, 240.0
"""Seconds of the processor, and of a clock, that a command may take."""
ALONE = FAMILIES | OF_SCENES
MEMORY = 2 * 10**9
"""Bytes beyond those of this process."""


def wait(folder: Path) -> None:
    """A moment."""
    time.sleep(0.01)


def bytes_of(paths: list[Path]) -> dict[Path, bytes]:
    """What is in files, and in those of folders."""
    return {
        one: one.read_bytes() for path in paths for one in (path, *path.rglob("*")) if one.is_file()
    }


def ended(case: Case, folder: Path) -> tuple[int | None, str]:
    """Exit code and output of a command; None where it took too long by the clock."""
    said = folder.with_name("said")
    if case.package:
        module = folder.with_name("package") / "odd.py"
        shutil.rmtree(module.parent, ignore_errors=True)
        (info := module.with_name("odd-1.dist-info")).mkdir(parents=True)
        module.write_text(case.package)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[hsiaug]\nodd = odd\n")
        paths = os.pathsep.join(filter(None, (str(module.parent), os.environ.get("PYTHONPATH"))))
    process = os.fork()
    if not process:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.dup2(os.open(said, os.O_RDWR | os.O_CREAT | os.O_TRUNC), 1), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
        held = next(
            int(line.split()[1])
            for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
            if line.startswith("VmData")
        )
        resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + MEMORY,) * 2)
        if case.package:
            os.execve(
                sys.executable,
                [sys.executable, "-m", "hsiaug", *case.words],
                {**os.environ, "PYTHONPATH": paths},
            )
        sys.stdout, sys.stderr = (
            os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2)
        )
        sys.argv = ["hsiaug", *case.words]
        code: Any = 0
        try:
            hsiaug_main()
        except SystemExit as error:
            code = error.code or 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 1
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):
                stream.flush()
        os._exit(code if isinstance(code, int) else 1)
    begun = time.monotonic()
    while not (done := os.waitpid(process, os.WNOHANG))[0] and time.monotonic() - begun < WAITED:
        (case.during or wait)(folder)
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    if not done[0]:
        os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(done[1]) if done[0] else None, said.read_bytes().decode(
        errors="replace"
    )


def faults(case: Case, folder: Path, codes: Counter[int | None]) -> Iterator[str]:
    """What is wrong with how a case ended. codes: counts the exit codes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in case.files.items():
        content(folder / name) if callable(content) else (folder / name).write_bytes(content)
    before, kept = {*folder.rglob("*")}, bytes_of([folder / name for name in case.kept])
    code, said = ended(case, folder)
    codes[code] += 1
    errors = sum(line.startswith(("error:", "Usage:")) for line in said.splitlines())
    # Of verify what is damaged, of benchmark what has no record: both are named.
    damaged = code == 1 and (
        case.words[:2] == ("store", "verify") or "have no sound record in s" in said
    )
    if "Traceback" in said or (code not in (0, 2) and not damaged) or errors != (code == 2):
        yield f"exit code {code}, {errors} errors: {said[-400:]!r}"
    if "unexpected extra argument" in said or "No such option" in said:
        yield f"no command of hsiaug: {said[-400:]!r}"
    if visible(said, keep="\n\t") != said:
        yield f"a control code: {said[-400:]!r}"
    if not kept.items() <= bytes_of([folder / name for name in case.kept]).items():
        yield "a file was changed that had to stay"
    if (
        code
        and (left := {*folder.rglob("*")} - before)
        and not {"benchmark", "merge"} & {*case.words}
    ):
        yield f"left: {sorted(left)[0].name}"
    if (folder / "unpickled").exists():
        yield "a pickle was read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", choices=[[], *ALONE, *OF_STORES])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--most", type=int, default=10**6, help="cases of each family, drawn at random"
    )
    asked = parser.parse_args()
    registry()
    rows = []
    with tempfile.TemporaryDirectory() as made, suppress(KeyboardInterrupt):
        for family in asked.families or (*ALONE, *OF_STORES):
            dice = random.Random(f"{asked.seed} {family}")
            if family in OF_STORES:
                store = Path(made) / (generator := LEARNS if family == "fits" else "smote")
                words = ("-m", "hsiaug", *RUN, "--generator", generator, "--store", str(store))
                subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
                cases = list(OF_STORES[family](dice, store))
            else:
                cases = list(ALONE[family](dice))
            lost, codes = 0, Counter[int | None]()
            for case in cases if len(cases) <= asked.most else dice.sample(cases, asked.most):
                if found := list(faults(case, Path(made) / "case", codes)):
                    lost += 1
                    say(f"{family}: {case.name[:150]}: LOST: {'; '.join(found)}")
            rows.append([family, *map(str, (codes.total(), codes[0], codes[2], lost))])
    say("\n".join(markdown(("family", "tried", "exit code 0", "exit code 2", "lost"), rows)))


if __name__ == "__main__":
    main()
