"""Requests to pages, flipped bits, signals, environments, misbehaving plugins and repetitions: does
plain use survive them?

    python -m benchmarks.faults.plain_use requests flips --seed 0
    python -m benchmarks.faults.plain_use signals environments plugins repetitions --most 20

Prints a line for every case that is lost, and a table in Markdown, also after Ctrl-C. Needs Linux.

- requests: to ``label`` and ``serve``. Lost where a server answers 5xx or not at all, prints a
  traceback, or has ended.
- flips: of one bit of a record, its predictions, a pack, or what is cached of them. Lost where
  reading or verifying fails otherwise than by naming what is damaged, or other numbers pass.
- signals: at any moment. Lost without a last line, with a traceback, a process or a temporary file
  left, later than LATEST, or where the same command again does not end as an undisturbed one.
- environments, repetitions: lost where predictions differ from those of an undisturbed run, or the
  command ends otherwise than with one error.
- plugins: a generator that misbehaves beside one that does not. Lost where it costs other trials.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.common import markdown, say
from hsiaug.base.errors import HsiaugError
from hsiaug.report.trials import trials_of_store
from hsiaug.trial.record_check import Damage
from hsiaug.trial.store import Store
from hsiaug.trial.upkeep import verify

LATEST = 10.0
"""Seconds of a clock in which a signal ends a command, on a machine that does other things too."""
LONGEST = 600.0
"""Seconds of a clock after which a command hangs."""
EVERY = 100
"""Cases after which their number is printed."""
QUICK = ("--seeds", "1", "--patch", "3", "--view", "raw", "--lambda", "0.5", "--jobs", "1")
RUN = ("benchmark", "toy", "--classifier", "svm", *QUICK)
PLAIN = (*RUN, "--generator", "noise")
ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
TEXTS = (
    "",
    "0",
    "-1",
    "1e999",
    "nan",
    "٣",
    "\x00",
    "../../etc/passwd",
    "%2e%2e",
    "x" * 5000,
    "[/]",
)
VALUES = (None, True, -1, 1e308, 2**70, "", "NaN", [], {}, [[0, 0]], [[-1, 10**9]], "Maize", "skip")

NUMBERS = "hash", "seed", "oa", "aa", "kappa", "macro_f1", "recall:1", "oa_seen", "aa_new"
MISBEHAVING = {
    "raises": "raise ValueError('\x1b[31m[/]')",
    "exits": "import sys; sys.exit(3)",
    "leaves": "import os; os._exit(0)",
    "aborts": "import os; os.abort()",
    "is killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "kills its group": "import os, signal; os.killpg(0, signal.SIGKILL)",
    "interrupts": "raise KeyboardInterrupt",
    "crashes": "import ctypes; ctypes.string_at(0)",
    "prints": "print('x' * 3_000_000)",
    "closes files": "import os; os.closerange(3, 200)",
    "writes anywhere": "import os\nfor n in range(3, 60):\n    try: os.write(n, b'x' * 40)\n"
    "    except OSError: pass",
    "starts processes": "import subprocess; subprocess.Popen(['sleep', '900'],"
    " start_new_session=True)",
    "double-forks": "import os, time\nif not os.fork():\n    os.setsid()\n"
    "    if not os.fork(): time.sleep(900)\n    os._exit(0)",
    "starts threads": "import threading, time;"
    " threading.Thread(target=time.sleep, args=(900,)).start()",
    "replaces numpy": "import numpy as np; np.unique = np.bincount = None",
    "replaces json": "import json; json.dumps = lambda *a, **k: '{}'",
    "changes folder": "import os; os.chdir('/')",
    "sets signals": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.alarm(1)",
    "empties the environment": "import os; os.environ.clear()",
    "recurses": "f = lambda: f(); f()",
    "takes memory": "bytearray(2**46)",
    "forks and returns": "import os; os.fork()",
}
"""Lines in a fit, which ends well where they do."""
GENERATOR = """
import numpy as np
from dataclasses import dataclass
from hsiaug.api import Card, Entry, PatchSamples, Plugin, hookimpl, load_state, param, save_state


class Fitted:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def sample(self, counts, *, guidance, seed):
        drawn = [np.resize(np.flatnonzero(self.y == c), n) for c, n in counts.items()]
        index = np.concatenate(drawn)
        return PatchSamples.made(self.x[index], self.y[index])

    def save(self, folder):
        save_state(folder, dict(x=self.x, y=self.y))


class Odd(Plugin):
    card = Card(name="odd", version="1", summary="misbehaves")

    def fit(self, view, *, seed, device, progress):
        {lines}
        return Fitted(view.real.x, view.real.y)

    def load(self, folder, *, device):
        return Fitted(**load_state(folder)[0])


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "odd", "odd:Odd")]
"""


def results(store: Path) -> dict[str, tuple[str, str]]:
    """Status and checksum of the predictions of all records."""
    return {r["hash"]: (r["status"], r["predictions_sha256"]) for r in Store(store).records()}


def command(
    words: Sequence[str], folder: Path, limit: tuple[int, int] | None = None, **variables: str
) -> subprocess.Popen[str]:
    """A command that has begun, with a folder of temporary files of its own. limit: of a resource
    of the system.
    """

    def begin() -> None:
        # A shell that runs this in the background has it ignore Ctrl-C.
        for number in ENDS:
            signal.signal(number, signal.SIG_DFL)
        if limit is not None:
            resource.setrlimit(limit[0], (limit[1], resource.getrlimit(limit[0])[1]))

    (temporary := folder / "temporary").mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "hsiaug", *words],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=begin,
    )


def ended(process: subprocess.Popen[str], within: float = LONGEST) -> tuple[int, str]:
    """Exit code and what was said on standard error; a command that hangs is killed."""
    try:
        _, said = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 999, "hung"
    return process.returncode, said


def left(folder: Path) -> list[str]:
    """Temporary files, and command lines of processes with this folder in their environment."""
    found = [path.name for path in (folder / "temporary").iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(folder / "temporary") in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode(errors="replace")[:80])
    return found


# --- families: each yields, for every case, its name and what is wrong


Cases = Iterator[tuple[str, list[str]]]


def requests(dice: random.Random, folder: Path, most: int) -> Cases:
    subprocess.run(
        [sys.executable, "-m", "hsiaug", *PLAIN, "--store", "store"], cwd=folder, check=True,
        capture_output=True,
    )  # fmt: skip
    pages = ("label", "toy", "--answers", "a.csv"), ("serve", "--store", "store")
    for words in pages:
        process = command([*words, "--port", "0"], folder)
        assert process.stdout is not None
        address = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)(/\S+/)", address)):
            address = process.stdout.readline()
        port, root = int(found[1]), found[2]
        for _ in range(most // 2):
            name, method, path, body, headers = request(dice, root, port)
            wrong = answer(port, method, path, body, headers)
            if process.poll() is not None:
                wrong.append(f"the server ended with {process.returncode}")
            yield f"{words[0]}: {name}", wrong
            if wrong and process.poll() is not None:
                break
        process.send_signal(signal.SIGINT)
        code, said = ended(process, 60)
        wrong = [] if code in (0, 130) else [f"exit code {code}: {said[-300:]}"]
        wrong += ["a traceback: " + said[-300:]] if "Traceback" in said else []
        yield f"{words[0]}: its end", wrong + left(folder)


def request(
    dice: random.Random, root: str, port: int
) -> tuple[str, str, str, bytes, dict[str, str]]:
    """A request, most of it odd."""
    names = (
        "",
        "scene",
        "state",
        "means",
        "pixel",
        "picture/rgb",
        "picture/x",
        "export/labels.csv",
    )
    names += ("answer", "undo", "redo", "class", "ask", "map", "report", "status", "page", "x/../y")
    word = dice.choice(names)
    method = dice.choice(("GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"))
    query = "&".join(
        f"{k}={dice.choice(TEXTS)[:200]}"
        for k in dice.sample(("row", "column", "by", "kind", "q"), 2)
    )
    path = f"{dice.choice((root, root, root, '/', '/x' * 40 + '/'))}{word}?{query}"
    path = "".join(c if 33 <= ord(c) < 127 else f"%{ord(c) % 256:02x}" for c in path)
    content: object = {
        key: dice.choice(VALUES)
        for key in dice.sample(("said", "name", "pixels", "polygon", "x"), 3)
    }
    body = json.dumps(dice.choice((content, content, dice.choice(VALUES)))).encode()
    if dice.random() < 0.3:
        body = bytes(dice.randrange(256) for _ in range(dice.choice((1, 40, 3000))))
    if dice.random() < 0.02:
        body = b"[" * 300_000
    headers = {"Content-Type": dice.choice(("application/json", "application/json", "text/plain"))}
    headers["Host"] = dice.choice((f"127.0.0.1:{port}", f"127.0.0.1:{port}", "evil.example", ""))
    if dice.random() < 0.2:
        headers["Origin"] = dice.choice(("http://evil.example", "null", f"http://127.0.0.1:{port}"))
    return f"{method} {word} {body[:60]!r}", method, path, body, headers


def answer(port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(key, value)
        connection.endheaders(body)
        status = connection.getresponse().status
        return [f"status {status}"] if status >= 500 else []
    except (OSError, http.client.HTTPException) as error:
        return [f"no answer: {error!r}"]
    finally:
        connection.close()


def flips(dice: random.Random, folder: Path, most: int) -> Cases:
    os.environ["HSIAUG_CACHE_DIR"] = str(folder / "cache")
    for name in ("plain", "pack"):
        words = [*PLAIN, "--store", name]
        subprocess.run(
            [sys.executable, "-m", "hsiaug", *words], cwd=folder, check=True, capture_output=True
        )
    subprocess.run(
        [sys.executable, "-m", "hsiaug", "store", "pack", "pack"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    for number in range(most):
        sound = folder / ("plain", "pack")[number % 2]
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        shutil.copytree(sound, copy)
        numbers, _ = read_numbers(copy)
        cached = number % 3 == 0
        where = folder / "cache" if cached else copy
        files = sorted(
            p
            for p in where.rglob("*")
            if p.is_file()
            and p.stat().st_size
            and "cache" not in p.relative_to(where).parts
            and p.suffix != ".lock"
        )
        if not files:
            continue
        path = dice.choice(files)
        data = bytearray(path.read_bytes())
        at = dice.randrange(len(data) * 8)
        data[at // 8] ^= 1 << at % 8
        path.write_bytes(data)
        yield f"{path.relative_to(folder)} bit {at}", flipped(copy, numbers, cached=cached)


def read_numbers(store: Path) -> tuple[dict[str, str], list[Damage]]:
    """What tables are made of, by the hashes of trials, and the damaged records."""
    trials, damaged = trials_of_store(Store(store))
    texts = trials[list(NUMBERS)].astype(str)
    return dict(zip(texts["hash"], map(" ".join, texts.to_numpy()), strict=True)), damaged


def flipped(store: Path, before: Mapping[str, str], *, cached: bool) -> list[str]:
    """What is wrong after a flip."""
    try:
        after, named = read_numbers(store)
        findings = list(verify(Store(store), lambda *_: None))
    except HsiaugError:
        # It names the file.
        return ["what is cached stops a report"] if cached else []
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    if wrong := [hash for hash, numbers in after.items() if before.get(hash) != numbers]:
        return [f"other numbers of {wrong}"]
    if after != before and (cached or not named):
        return ["a record is left out without a word"]
    return [] if cached or named or findings or after == before else ["nothing is named"]


def signals(dice: random.Random, folder: Path, most: int) -> Cases:
    commands = {
        "benchmark": (*RUN, "--generator", "noise,mixup"),
        "generate": (
            "generate",
            "toy",
            "--generator",
            "txt2hsi",
            "--preset",
            "tiny",
            "--patch",
            "5",
            "--out",
            "made.npz",
        ),
        "split": ("split", "toy", "--out", "split.png"),
        "map": ("map", "toy", "--out", "map.tif"),
        "plugins": ("plugins", "list"),
        "suggest": ("suggest", "toy", "-n", "2", "--out", "ask.csv"),
    }
    took: dict[str, float] = {}
    for number in range(most):
        name = list(commands)[number % len(commands)]
        words = commands[name]
        if name not in took:
            begun = time.monotonic()
            ended(command(words, folder / f"whole-{name}"))
            took[name] = time.monotonic() - begun
        here = folder / f"{number}"
        end = dice.choice(ENDS)
        process = command(words, here)
        # Python takes signals from its first tenths of a second on.
        time.sleep(0.4 + dice.random() * took[name])
        early = process.poll() is None
        process.send_signal(end)
        begun = time.monotonic()
        code, said = ended(process, 60)
        seconds = time.monotonic() - begun
        wrong = ["a traceback: " + said[-300:]] if "Traceback" in said else []
        if code not in (0, 128 + end, -end):
            wrong.append(f"exit code {code}: {said[-300:]}")
        if code == 128 + end and not (said.splitlines() or [""])[-1].startswith("stopped"):
            wrong.append(f"no last line: {said[-200:]!r}")
        if early and seconds > LATEST:
            wrong.append(f"{seconds:.1f} s")
        time.sleep(0.3)
        wrong += left(here)
        rest = {p.name for p in here.iterdir()} - {"temporary", "hsiaug-results", words[-1]}
        if (here / words[-1]).exists():
            # All outputs come together, a picture beside a map too.
            rest.clear()
        yield f"{name}, {end.name}", [*wrong, *sorted(rest)]
        shutil.rmtree(here)


def environments(dice: random.Random, folder: Path, most: int) -> Cases:
    words = (*PLAIN, "--store", "store")
    ended(command(words, folder / "whole"))
    whole = results(folder / "whole" / "store")
    odd: dict[str, dict[str, str]] = {
        "C": {"LC_ALL": "C"}, "turkish": {"LANG": "tr_TR.UTF-8"}, "no home": {"HOME": "/absent"},
        "home is a file": {"HOME": "/dev/null"}, "hash seed": {"PYTHONHASHSEED": "5"},
        "threads": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "1"}, "time": {"TZ": "Asia/Kolkata"},
        "columns": {"COLUMNS": "1"}, "colour": {"NO_COLOR": "1"}, "forced": {"FORCE_COLOR": "1"},
        "spawn": {"HSIAUG_START_METHOD": "spawn"}, "no cache": {"HSIAUG_CACHE_DIR": "/proc/x"},
        "read-only cache": {"HSIAUG_CACHE_DIR": "/sys"}, "bytes": {"PYTHONUTF8": "0", "LANG": "C"},
        "warnings": {"PYTHONWARNINGS": "default"}, "odd name": {"A\udcff": "\udcff"},
        "optimised": {"PYTHONOPTIMIZE": "2"}, "no bytecode": {"PYTHONDONTWRITEBYTECODE": "1"},
        "unbuffered": {"PYTHONUNBUFFERED": "1"}, "empty": {"PATH": "", "LANG": "", "USER": ""},
        "dumb": {"TERM": "dumb"}, "nothing": {"CUDA_VISIBLE_DEVICES": ""},
        "long": {"X": "y" * 90_000},
    }  # fmt: skip
    limits = {
        "few files": (resource.RLIMIT_NOFILE, (8, 24, 40, 64)),
        "small files": (resource.RLIMIT_FSIZE, (0, 1000, 10_000, 50_000)),
        "little memory": (resource.RLIMIT_AS, (2 * 10**8, 5 * 10**8, 10**9, 2 * 10**9)),
        "no stack": (resource.RLIMIT_STACK, (2**17, 2**20)),
        "no locked memory": (resource.RLIMIT_MEMLOCK, (0,)),
        "no core": (resource.RLIMIT_CORE, (0,)),
    }
    for number in range(most):
        here = folder / f"{number}"
        if number % 2:
            name, (kind, values) = dice.choice(list(limits.items()))
            value = dice.choice(values)
            name += f" {value}"
            process = command(words, here, (kind, value))
        else:
            name = "+".join(chosen := dice.sample(sorted(odd), dice.choice((1, 2))))
            variables = {k: v for one in chosen for k, v in odd[one].items()}
            process = command(words, here, **variables)
        code, said = ended(process)
        wrong = ["a traceback: " + said[-400:]] if "Traceback" in said else []
        if code not in (0, 1, 2):
            wrong.append(f"exit code {code}: {said[-300:]}")
        made = results(here / "store") if (here / "store").is_dir() else {}
        if code == 0 and made != whole:
            wrong.append("other records")
        if any(
            status == "ok" and whole.get(hash) != (status, sha)
            for hash, (status, sha) in made.items()
        ):
            wrong.append("other predictions")
        yield name, wrong + left(here)
        shutil.rmtree(here)


def plugins(dice: random.Random, folder: Path, most: int) -> Cases:
    ended(command((*PLAIN, "--store", "store"), folder / "whole"))
    whole = results(folder / "whole" / "store")
    cases = [(name, where) for where in ("fit", "import") for name in MISBEHAVING]
    dice.shuffle(cases)
    for number, (name, where) in enumerate(cases[:most]):
        here = folder / f"{number}"
        (info := here / "site" / "odd-1.dist-info").mkdir(parents=True)
        lines = MISBEHAVING[name]
        code = GENERATOR.format(
            mark=str(here), lines=lines.replace("\n", "\n        ") if where == "fit" else "pass"
        )
        (here / "site" / "odd.py").write_text(code if where == "fit" else f"{lines}\n{code}")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[hsiaug]\nodd = odd\n")
        path = os.pathsep.join([str(here / "site"), os.environ.get("PYTHONPATH", "")])
        words = (
            *RUN,
            "--generator",
            "odd,noise" if where == "fit" else "noise",
            "--store",
            "store",
        )
        words += ("--timeout", "60s")
        exit_code, said = ended(command(words, here, PYTHONPATH=path))
        made = results(here / "store") if (here / "store").is_dir() else {}
        wrong = [] if whole.items() <= made.items() else ["other trials"]
        wrong += ["a traceback: " + said[-300:]] if "Traceback" in said else []
        wrong += [] if exit_code in (0, 1) else [f"exit code {exit_code}: {said[-300:]}"]
        wrong += ["prints without end"] if len(said) > 2_500_000 else []
        yield f"{name} in {where}", wrong + left(here)
        shutil.rmtree(here)


def repetitions(dice: random.Random, folder: Path, most: int) -> Cases:
    generators = ("smote", "mixup", "noise", "duplicate", "cvae", "gaussian")
    known: dict[str, dict[str, tuple[str, str]]] = {}
    for number in range(most):
        generator = generators[number % len(generators)]
        here = folder / f"{number}"
        variables = {"PYTHONHASHSEED": str(dice.randrange(1000))}
        if dice.random() < 0.3:
            variables["HSIAUG_START_METHOD"] = "spawn"
        jobs = dice.choice(("1", "2"))
        words = (
            "benchmark",
            "toy",
            "--classifier",
            "svm",
            *QUICK[:-1],
            jobs,
            "--preset",
            "tiny",
            "--generator",
            generator,
            "--store",
            "store",
        )
        code, said = ended(command(words, here, **variables))
        made = results(here / "store") if (here / "store").is_dir() else {}
        same = known.setdefault(generator, made) == made
        wrong = [] if same and code == 0 else [f"exit code {code}, equal: {same}: {said[-200:]}"]
        yield f"{generator}, {jobs} jobs", wrong + left(here)
        shutil.rmtree(here)


FAMILIES: dict[str, Callable[[random.Random, Path, int], Cases]] = {
    one.__name__: one for one in (requests, flips, signals, environments, plugins, repetitions)
}


@contextmanager
def folder_of(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"faults-{name}-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", choices=[[], *FAMILIES])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=20, help="cases of each family")
    asked = parser.parse_args()
    rows = []
    # A shell that runs this in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for family in asked.families or FAMILIES:
            dice = random.Random(f"{asked.seed} {family}")
            rows.append([family, 0, 0])
            with folder_of(family) as folder:
                for name, wrong in FAMILIES[family](dice, folder, asked.most):
                    rows[-1][1] += 1
                    rows[-1][2] += bool(wrong)
                    if not rows[-1][1] % EVERY:
                        say(f"{family}: {rows[-1][1]} cases")
                    if wrong:
                        say(f"{family}: {name}: LOST: {'; '.join(wrong)}")
    except KeyboardInterrupt:
        pass
    say("\n".join(markdown(("family", "tried", "lost"), [list(map(str, row)) for row in rows])))


if __name__ == "__main__":
    main()
