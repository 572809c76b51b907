"""The cases of :mod:`benchmarks.faults.hostile`: files, tables, cards, stores and packages made to
do harm, by family.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import socket
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
import scipy.sparse

LABELS = np.kron(np.array([[0, 1], [2, 3]]), np.ones((12, 10), np.uint8)).astype(np.uint8)
CUBE = (LABELS[:, :, None] * 0.1 + np.random.default_rng(0).random((24, 20, 6))).astype(np.float32)
ADD = ("datasets", "add", "c.npy", "--labels", "l.npy", "--out", "o.toml")
CARD = '[cube]\nfile = "c.npy"\n[labels]\nfile = "l.npy"\nnames = ["a", "b", "c"]\n'
SUITE = (
    '[[run]]\nname = "r"\nscenes = ["toy"]\ngenerators = ["smote"]\nclassifiers = ["svm"]\nseeds'
    " = 1\n"
)
HEADER = b"ENVI\nsamples = 20\nlines = 24\nbands = 6\ndata type = 4\ninterleave = bip\n"
ONE = ("benchmark", "toy", "--seeds", "1", "--classifier", "svm")
DRY = (*ONE, "--dry-run", "--generator", "smote")
RUN = (*ONE, "--lambda", "0.5", "--preset", "tiny", "--device", "cpu")
WORDS = (
    "",
    " ",
    "\ufeff",
    "\0",
    "\x1b[31m",
    "а",
    "ﬁ",
    "１",
    "٣",
    "\u202e",
    "[/]",
    "../x",
    "=1+1",
    "x" * 70_000,
    "\udcff",
)
"""Marks of byte order, NUL, an escape, letters and digits that look like others, markup, a formula,
half a character.
"""
NUMBERS = (
    -1,
    0,
    0.5,
    -0.0,
    1e308,
    2**31,
    2**63,
    10**30,
    float("nan"),
    float("inf"),
    True,
    None,
    [],
    {},
    "1",
    [[1]],
)
SYSTEM = (
    "/dev/zero",
    "/dev/full",
    "/dev/tty",
    "/dev/urandom",
    "/proc/kmsg",
    "/proc/kcore",
    "/proc/self/mem",
    "/proc/self/fd",
    "/proc/sys/vm/drop_caches",
    "/sys/kernel/notes",
)
READ = (
    *((*ADD[:2], f"x.{end}", *ADD[3:]) for end in ("npy", "mat", "tif", "hdr", "img")),
    *((*ADD[:4], f"x.{end}", *ADD[5:]) for end in ("npy", "png", "csv", "geojson", "gpkg")),
    ("split", "x.toml"),
    ("benchmark", "x.toml", "--dry-run"),
    ("report", "--store", "x.store"),
    ("start", "x.folder"),
    ("store", "merge", "m", "x.store"),
    (*DRY, "--protocol", "picks:2:x.csv"),
    (*DRY, "--protocol", "fixed:x.npz"),
)
WRITTEN = (
    (*ADD[:-1], "x.toml"),
    ("suggest", "toy", "-n", "2", "--out", "x.csv"),
    ("split", "toy", "--out", "x.png"),
)

Content = bytes | Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """name: of what is odd. words: of the command. files: by name. package: code of an installed
    plugin package.

    during: done again and again in the folder, while the command runs. kept: names of files that
    no command may change.
    """

    name: str
    words: Sequence[str]
    files: Mapping[str, Content] = field(default_factory=dict)
    package: str = ""
    during: Callable[[Path], object] | None = None
    kept: Sequence[str] = ()


def saved(save: Callable[..., object], *values: Any, **more: Any) -> bytes:
    """What a function writes into a file."""
    file = io.BytesIO()
    save(file, *values, **more)
    return file.getvalue()


GOOD: dict[str, Content] = {
    "c.npy": saved(np.save, CUBE),
    "l.npy": saved(np.save, LABELS),
    "s.toml": CARD.encode(),
}


def linked(target: str, path: Path) -> None:
    """Make a link."""
    path.symlink_to(target)


def long(path: Path) -> None:
    """2 TB of nothing."""
    path.touch()
    os.truncate(path, 2**41)


def precious(path: Path) -> None:
    """A folder that nothing may change."""
    path.mkdir()
    (path / "file").write_bytes(b"mine")


def files(dice: random.Random) -> Iterator[Case]:
    """Pipes, devices, sockets, loops of links and files of the system in place of each file that is
    read or written.
    """

    def listening(path: Path) -> None:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket has 107 bytes at most
        socket.socket(socket.AF_UNIX).bind(path.name)
        os.chdir(here)

    kinds: dict[str, Content] = {
        target: partial(linked, target) for target in (*SYSTEM, "x.npy", "nowhere")
    }
    kinds |= {
        "empty": b"",
        "noise": dice.randbytes(5000),
        "2 TB": long,
        "socket": listening,
        "folder": Path.mkdir,
    }
    for kind, make in {**kinds, "pipe": os.mkfifo}.items():
        # What is to be written into a pipe waits for its reader.
        for words in READ if kind == "pipe" else (*READ, *WRITTEN):
            name = next(part for word in words for part in word.split(":") if part.startswith("x."))
            beside = {"x.hdr": {"x.img": CUBE.tobytes()}, "x.img": {"x.hdr": HEADER}}.get(name, {})
            yield Case(f"{kind} as {' '.join(words)}", words, {**GOOD, **beside, name: make})


class Bad:
    """Makes a file where it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("unpickled"),)


def zipped(data: bytes, name: str, encrypted: bool, path: Path) -> None:
    """An archive of one file. encrypted: it says so."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.find(mark) + at] |= encrypted
    path.write_bytes(raw)


def hdf5(file: Any, part: Any) -> None:
    """A file of HDF5 whose "cube" is that."""
    with h5py.File(file, "w") as made:
        made["cube"] = part


def arrays(dice: random.Random) -> Iterator[Case]:
    """Archives and MATLAB files: bombs, pickles, passwords, structs, cells, links, odd types, and
    changed or cut ones.
    """
    kinds = ("O", "S3", "U3", "M8[s]", "m8[s]", "c8", "f2", "i4,f4", "V3", "?", "u8")
    members = {kind: saved(np.save, np.zeros((48, 48), kind), allow_pickle=True) for kind in kinds}
    members |= {"a pickle": saved(np.save, np.array([Bad()], object), allow_pickle=True)}
    for what, data in {**members, "a bomb": bytes(3 * 2**30), "no array": b"x"}.items():
        for name, encrypted in (
            ("train.npy", False),
            ("../train.npy", False),
            ("train.npy", True),
            ("\x1b[31m.npy", False),
        ):
            masks = {"x.npz": partial(zipped, data, name, encrypted)}
            yield Case(
                f".npz of {what}, {name!r}, {encrypted}",
                ("split", "toy", "--protocol", "fixed:x.npz"),
                masks,
            )
    trees: dict[str, Any] = {
        "struct": {"a": 1.0},
        "cells": np.array([CUBE, "x"], object),
        "sparse": scipy.sparse.eye(20).tocsc(),
        "good": CUBE,
        "complex": CUBE.astype(complex),
        "text": np.array(["ab"]),
        "empty": CUBE[:0],
        "4 axes": CUBE[None],
        "large": np.full(CUBE.shape, 2**62),
        "NaN": CUBE * np.nan,
    }
    parts = {
        "soft link": h5py.SoftLink("/cube"),
        "other file": h5py.ExternalLink("/proc/kmsg", "/x"),
        "nothing": h5py.Empty("f4"),
        "bits": CUBE.view("V4"),
        "text": "x",
        "number": 1.0,
        "half": CUBE.astype("f2"),
    }
    matlab: dict[str, Content] = {
        f".mat, {name}": saved(scipy.io.savemat, {"cube": tree}) for name, tree in trees.items()
    }
    matlab |= {f"HDF5, {name}": saved(hdf5, part) for name, part in parts.items()}
    whole = [
        saved(scipy.io.savemat, {"cube": CUBE}, do_compression=packed) for packed in (False, True)
    ]
    for number, data in enumerate(dice.choice([*whole, saved(hdf5, CUBE)]) for _ in range(100)):
        raw = bytearray(data)
        for _ in range(dice.choice((1, 3, 20))):
            raw[dice.randrange(dice.choice((256, len(raw))))] = dice.randrange(256)
        matlab[f"changed {number}"] = bytes(
            raw[: dice.choice((len(raw), dice.randrange(1, len(raw))))]
        )
    for name, content in matlab.items():
        yield Case(name, READ[1], {**GOOD, "x.mat": content})
    yield Case("a bare pickle", ADD, {**GOOD, "c.npy": pickle.dumps(Bad())})


def labels(dice: random.Random) -> Iterator[Case]:
    """Label maps, and tables of labels and picks: odd numbers, odd types, odd texts, odd tables."""
    for value in (-1, 0.5, np.nan, np.inf, -np.inf, 255, 2**15, 2**31, 2**40, 1e300):
        for share in (0.01, 0.5, 1):
            chosen = np.random.default_rng(dice.randrange(2**32)).random(LABELS.shape) < share
            mixed = np.where(chosen, value, LABELS.astype(float))
            yield Case(f"{share:.0%} of {value}", ADD, {**GOOD, "l.npy": saved(np.save, mixed)})
    for kind in ("?", "i1", "u8", "f2", "g", "c16", "U2", "M8[s]", ">i2", "O"):
        odd = LABELS.astype("i8").astype(kind)
        yield Case(f"type {kind}", ADD, {**GOOD, "l.npy": saved(np.save, odd, allow_pickle=True)})
    for shape in ((24,), (0, 20), (24, 20, 1), (24, 20, 3), (1, 480), (20, 24), (480, 1)):
        yield Case(
            f"shape {shape}", ADD, {**GOOD, "l.npy": saved(np.save, np.resize(LABELS, shape))}
        )
    picks = (*DRY, "--protocol", "picks:2:t.csv")
    tables = {"row,col,class": (*ADD[:4], "t.csv", *ADD[5:]), "rank,row,column,class": picks}
    for columns, words in tables.items():
        for cell in (
            *WORDS[:-1],
            '"',
            '"\n' * 50,
            "," * 5000,
            "1e400",
            "-0",
            "0x1",
            "1_0",
            "9" * 5000,
            "x" * 200_000,
        ):
            row = [str(dice.randrange(20)) for _ in columns.split(",")]
            other = [*row]
            other[at := dice.randrange(len(row))] = cell
            coding = dice.choice(("utf-8", "utf-8-sig", "utf-16"))
            text = "\n".join([columns, ",".join(row), ",".join(other), ""]).encode(coding)
            yield Case(f"{columns}: {cell[:20]!r} in {at}", words, {**GOOD, "t.csv": text})


def texts(dice: random.Random) -> Iterator[Case]:
    """Cards, suites and words of the command line: odd names and numbers at every key and
    option.
    """
    cube = (
        "name",
        "cube.file",
        "cube.key",
        "cube.axes",
        "cube.scale",
        "cube.rows",
        "labels.names",
        "labels.ids",
    )
    run = (
        "seeds",
        "lambdas",
        "omegas",
        "patch",
        "protocols",
        "set",
        "device",
        "timeout",
        "nonsense",
    )
    for key in (*cube, "a" + ".a" * 40, *run):
        for value in (*WORDS, *NUMBERS):
            told = (
                json.dumps(value)
                .replace("NaN", "nan")
                .replace("Infinity", "inf")
                .replace("null", "{a = [[]]}")
            )
            parts = (SUITE, f"{key} = {told}\n") if key in run else (f"{key} = {told}\n", CARD)
            words = ("benchmark", "x.toml", "--dry-run") if key in run else ("split", "x.toml")
            text = "".join(parts).encode("utf-8", "surrogatepass")
            yield Case(f"{key} = {told[:30]}", words, {**GOOD, "x.toml": text})
    options = (
        "generator",
        "classifier",
        "lambda",
        "seeds",
        "patch",
        "protocol",
        "buffer",
        "timeout",
        "store",
        "jobs",
        "set",
        "device",
        "limit",
    )
    more = (
        "-1",
        "1e400",
        "nan",
        "9" * 5000,
        "1:2:0",
        "0-1000000000",
        "issd:nan",
        "kshot:" + "9" * 400,
        "within:within:all",
        "svm.C=nan",
    )
    for option in options:
        for word in (*(word for word in WORDS if "\0" not in word), *more):
            yield Case(f"--{option} {word[:20]!r}", (*DRY, f"--{option}={word}"))


PACKAGE = """
import math
import numpy as np
from hsiaug.api import Card, Draw, Entry, NoParams, SplitProtocol, hookimpl, param

class Odd(SplitProtocol):
    card = Card(**{"name": "odd", "version": "1", "summary": "s", **dict(CARD)})

    def draw(self, scene, seed, patch):
        mask = scene.labels > 0
        DRAW

@hookimpl
def hsiaug_plugins():
    return [Entry(ENTRY)]
"""


def package(kind: str, card: str = "", draw: str = "return None", entry: str = "") -> str:
    """Code of a package with a plugin of that kind."""
    return (
        PACKAGE.replace("CARD", card)
        .replace("DRAW", draw)
        .replace("ENTRY", entry or f'"{kind}", "odd", "odd:Odd"')
    )


def packages(dice: random.Random) -> Iterator[Case]:
    """Packages of others whose cards are of odd types, whose protocols draw odd things, or that end
    their process.
    """
    values = (
        '"\\x1b[31m"',
        "None",
        "7",
        "-1.5",
        "math.nan",
        "math.inf",
        "()",
        "{}",
        "object()",
        "type",
        "lambda: 0",
        '"x" * 10**6',
        "[[]]",
        "2**70",
    )
    keys = (
        "name",
        "version",
        "summary",
        "paper",
        "tasks",
        "needs",
        "scope",
        "input",
        "guidance",
        "text",
        "seconds",
        "params",
        "presets",
        "variant",
    )
    entries = (
        '"generator", "smote", "odd:Odd"',
        '"generator", "odd", "odd:Nobody"',
        '"cook", "odd", "odd:Odd"',
        '"generator", "../x", "odd:Odd"',
        '"generator", None, 5',
        "1, 2",
    )
    codes = (
        "raise SystemExit(0)",
        "import os; os._exit(0)",
        "import os; os.kill(os.getpid(), 9)",
        "1 / 0",
        "raise KeyboardInterrupt",
        "def f(): f()\nf()",
        "import json; json.dumps = lambda *a, **k: '{'",
        "import builtins; builtins.open = None",
        "print('x' * 10**6)",
        "import sys; sys.stdout.close()",
        "import os; os.closerange(0, 99)",
        "import os; os.fork()",
        "import sys; sys.modules['json'] = None",
        "import time; time.monotonic = lambda: -1.0",
    )
    masks = (
        "None",
        "5",
        "mask",
        "mask & False, mask",
        "~mask, mask",
        "mask * 1.0, mask",
        "mask[1:], mask",
        "mask.ravel(), mask",
        "mask, ~mask",
        "mask[..., None], mask",
        "mask, None",
    )
    fields = ("notes=5", "notes=('\\x1b[31m',)", "labels=mask", "hidden=5", "asked=~mask")
    listed, info, dry = (
        ("plugins", "list"),
        ("plugins", "info", "odd"),
        (*DRY, "--generator", "odd"),
    )
    for key in keys:
        for value in dice.sample(values, 4):
            yield Case(
                f"{key} = {value}",
                dice.choice((listed, info, dry)),
                {},
                package("generator", f"{key}={value}"),
            )
    for said in entries:
        yield Case(f"entry {said}", dice.choice((listed, DRY)), {}, package("", entry=said))
    for code in codes:
        yield Case(f"import: {code}", listed, {}, f"{code}\n")
    drawn = [f"return Draw({one})" for one in masks]
    drawn += [
        "return None",
        "raise SystemExit",
        "import os; os._exit(3)",
        "scene.labels[:] = 1; return Draw(mask, ~mask)",
    ]
    drawn += [
        f"return Draw(mask & (np.indices(mask.shape)[0] % 9 == 0), ~mask, {more})"
        for more in fields
    ]
    runs = (*RUN, "--generator", "none", "--protocol", "odd", "--store", "new")
    for draw in drawn:
        words = dice.choice((("split", "toy", "--protocol", "odd"), runs))
        yield Case(f"draw: {draw}", words, {}, package("protocol", draw=draw))


FAMILIES: dict[str, Callable[..., Iterator[Case]]] = {
    "files": files,
    "arrays": arrays,
    "labels": labels,
    "texts": texts,
    "packages": packages,
}
