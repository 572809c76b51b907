"""Cases of :mod:`benchmarks.faults.hostile` in stores: records, packs, saved fits, links
in place of folders.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.hostile_cases import (
    NUMBERS,
    RUN,
    WORDS,
    Bad,
    Case,
    Content,
    linked,
    long,
    precious,
    saved,
)

LEARNS = "txt2hsi"
"""A generator whose preparation and fit are saved."""
STORES = (("report", "--store", "s"), ("store", "verify", "s"), ("store", "merge", "m", "s"))


def stores(dice: random.Random, store: Path) -> Iterator[Case]:
    """Stores whose records or predictions are links, pipes, bombs, of another time or damaged.
    store: a whole one.
    """
    compared = ("compare", "none/svm", "smote@0.5/svm", "--store", "s")
    again = (*RUN, "--generator", "smote", "--store", "s")
    commands = (*STORES, compared, again)
    names = [path.relative_to(store) for path in sorted(store.glob("records/??/*/*"))]
    records = [name for name in names if name.suffix == ".json"]
    record = json.loads((store / records[0]).read_text())
    targets = ("/dev/zero", "/proc/kmsg", "/etc/passwd", "../..", "record.json")
    changes: dict[str, Callable[[Path], object]] = {
        f"link to {one}": partial(linked, one) for one in targets
    }
    contents = {
        "empty": b"",
        "noise": dice.randbytes(999),
        "deep": b"[" * 99_999,
        "twice": b"{}{",
        "bomb": bytes(2**26),
    }
    times = ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00")
    for key in sorted(record):
        for value in dice.sample((*NUMBERS, *WORDS, *times), 3):
            contents[f"{key} = {str(value)[:20]!r}"] = json.dumps({**record, key: value}).encode()
    changes |= {
        name: lambda path, data=data: path.write_bytes(data) for name, data in contents.items()
    }  # type: ignore[misc]
    for what, change in {
        **changes,
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
        "gone": Path.exists,
    }.items():
        name, at = dice.choice(records if "=" in what else names), dice.choice((0, 2**31, 2**33))

        def make(path: Path, name: Path = name, change: Any = change, at: int = at) -> None:
            shutil.copytree(store, path)
            (path / name).unlink()
            change(path / name)
            os.utime(path / name.parent, (at, at))

        for words in commands:
            yield Case(f"{name.name} {what}: {' '.join(words[:2])}", words, {"s": make})


SCHEMA = "CREATE TABLE records (hash, created, record); CREATE TABLE predictions (hash, npz);"
ENDLESS = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x FROM t) SELECT"


def packed(
    script: str,
    rows: Sequence[Sequence[object]],
    beside: Callable[[Path], object] | None,
    path: Path,
) -> None:
    """A store of one pack. rows: hash, created, record and predictions. beside: makes another file
    in place of one.
    """
    (path / "records").mkdir(parents=True)
    (pack := path / "packs" / f"{'0' * 16}.sqlite").parent.mkdir()
    if beside:
        beside(pack)
        return
    with closing(sqlite3.connect(pack)) as file:
        file.executescript(script)
        for hash, created, record, npz in rows:
            file.execute("INSERT INTO records VALUES (?, ?, ?)", (hash, created, record))
            file.execute("INSERT INTO predictions VALUES (?, ?)", (hash, npz))
        file.commit()


def packs(dice: random.Random, store: Path) -> Iterator[Case]:
    """Packs that are links, pipes or noise, or databases whose tables lie: views without end, odd
    types, odd names.
    """
    whole = [
        (
            path.parent.name,
            json.loads(path.read_bytes())["created"],
            path.read_bytes(),
            path.with_name("predictions.npz").read_bytes(),
        )
        for path in sorted(store.glob("records/??/*/record.json"))
    ]
    odd = (
        None,
        7,
        -1.5,
        b"\xff",
        "",
        "../../../x",
        "x" * 10**6,
        "\x1b[31m",
        whole[1][0],
        whole[0][0].upper(),
    )
    makes: dict[str, Content] = {}
    for at, what in enumerate(("hash", "created", "record", "predictions")):
        for value in odd:
            row = [*whole[0]]
            row[at] = value
            makes[f"{what} {str(value)[:12]!r}"] = partial(
                packed, SCHEMA, [row, *whole[1:], whole[0]], None
            )
    schemas = {
        "no table": "",
        "endless records": (
            f"CREATE VIEW records AS {ENDLESS} 'h' hash, 'c' created, x'00' record FROM t;"
        ),
        "endless hashes": f"CREATE VIEW records AS {ENDLESS} x hash, x created, x record FROM t;",
        "bombs": (
            "CREATE VIEW records AS SELECT 'ab' hash, 'c' created, zeroblob(900000000) record;"
        ),
        "predictions of 1 GB": (
            f"{SCHEMA} INSERT INTO predictions VALUES ('{whole[0][0]}', zeroblob(900000000));INSERT"
            f" INTO records VALUES ('{whole[0][0]}', '{whole[0][1]}', x'{whole[0][2].hex()}');"
        ),
        "endless predictions": (
            f"CREATE TABLE records (hash, created, record); CREATE VIEW predictions AS {ENDLESS}"
            f" '{whole[0][0]}' hash, x'00' npz FROM t;"
            f"INSERT INTO records VALUES ('{whole[0][0]}', 'c', x'{whole[0][2].hex()}');"
        ),
        "text that is none": (
            f"{SCHEMA} INSERT INTO records VALUES (CAST(x'ff' AS TEXT), 'c', 'r');"
        ),
        "no rowid": "CREATE TABLE records (hash PRIMARY KEY, created, record) WITHOUT ROWID;",
        "UTF-16": f"PRAGMA encoding = 'UTF-16'; {SCHEMA}",
    }
    makes |= {name: partial(packed, script, (), None) for name, script in schemas.items()}
    changes = {
        f"link to {one}": partial(linked, one)
        for one in ("/dev/zero", "/proc/kmsg", "/etc/passwd", "..")
    }
    changes |= {"pipe": os.mkfifo, "folder": Path.mkdir, "empty": Path.touch, "2 TB": long}
    changes |= {"noise": lambda path: path.write_bytes(b"SQLite format 3\0" + dice.randbytes(5000))}
    makes |= {name: partial(packed, "", (), change) for name, change in changes.items()}
    again = (*RUN, "--generator", "smote", "--store", "s")
    for what, make in makes.items():
        for words in (*STORES, ("store", "pack", "s"), ("show", "a", "--store", "s"), again):
            yield Case(f"pack, {what}: {' '.join(words[:2])}", words, {"s": make})


def caches(dice: random.Random, store: Path) -> Iterator[Case]:
    """Links, pipes and files in place of the folders of a store."""
    name = next(path.relative_to(store) for path in sorted(store.glob("records/??/*/record.json")))
    makes: dict[str, Callable[[Path], object]] = {}
    for place in (
        "cache",
        "records",
        f"records/{name.parts[1]}",
        "packs",
        "cache/others",
    ):
        targets = ("/dev/zero", "/proc/kmsg", "..", "../precious", "nowhere", Path(place).name)
        for what, change in {
            **{f"a link to {one}": partial(linked, one) for one in targets},
            "a pipe": os.mkfifo,
            "a file": Path.touch,
        }.items():

            def put(path: Path, place: str = place, change: Any = change) -> None:
                if (old := path / place).is_dir():
                    shutil.rmtree(old)
                old.unlink(missing_ok=True)
                change(old)

            makes[f"{place} is {what}"] = put
    again = (*RUN, "--generator", "smote,mixup", "--store", "s")
    for what, change in makes.items():

        def make(path: Path, change: Any = change) -> None:
            shutil.copytree(store, path)
            (path / "cache").mkdir(exist_ok=True)
            change(path)

        for words in (*STORES, ("store", "pack", "s"), again):
            yield Case(
                f"{what}: {' '.join(words[:2])}",
                words,
                {"precious": precious, "s": make},
                kept=("precious",),
            )


def fits(dice: random.Random, store: Path) -> Iterator[Case]:
    """Saved fits whose weights, facts or folders are pickles, lie about their sizes, are links,
    pipes or bombs.

    store: with a saved fit and preparation. Checksums are those of what lies there: whoever made
    it made these too.
    """
    # Once, and not by each case, which is a copy of this process.
    import_module("torch")
    asked = ("--lambda", "0.5", "--preset", "tiny", "--device", "cpu", "--store", "s")
    again = ("generate", "toy", "--generator", LEARNS, *asked, "--out", "o.npz")
    # A fit of the tiny preset is too quick to be saved else.
    saves = (
        "from hsiaug.trial import fits; fits.WORTH_SAVING = 0;"
        " from hsiaug.cli.main import main; main()"
    )
    words = (*again[:-3], str(store), "--out", str(store.with_name("o.npz")))
    subprocess.run([sys.executable, "-c", saves, *words], check=True, stdout=subprocess.DEVNULL)
    names = [
        path.relative_to(store) for path in sorted(store.glob("cache/*/**/*")) if path.is_file()
    ]
    assert len({name.parts[1] for name in names}) == 2, "a fit and a preparation"

    def length(text):
        return len(text).to_bytes(8, "little") + text

    tensor = '{"a":{"dtype":"%s","shape":%s,"data_offsets":%s}}'
    contents = {
        "empty": b"",
        "noise": dice.randbytes(999),
        "a pickle": pickle.dumps(Bad()),
        "deep": b"[" * 99_999,
        "a list": b"[]",
        "no fields": b"{}",
        "a header of 2^60 bytes": (2**60).to_bytes(8, "little") + b"{}",
        "no tensor": length(b"{}"),
        "shape": length((tensor % ("F32", [2**40, 2**40], [0, 4])).encode()) + bytes(4),
        "offsets": length((tensor % ("F32", [1], [0, 2**50])).encode()),
        "type": length((tensor % ("X", [1], [0, 4])).encode()) + bytes(4),
        "an old checkpoint": saved(np.savez, a=np.array([Bad()], object), allow_pickle=True),
    }
    changes: dict[str, Callable[[Path], object]] = {
        name: lambda path, data=data: path.write_bytes(data)
        for name, data in contents.items()  # type: ignore[misc]
    }
    changes |= {
        f"a link to {one}": partial(linked, one)
        for one in ("/dev/zero", "/proc/kmsg", "..", "nowhere")
    }
    for what, change in {
        **changes,
        "a pipe": os.mkfifo,
        "a folder": Path.mkdir,
        "gone": Path.exists,
    }.items():
        for name in names:

            def make(path: Path, name: Path = name, change: Any = change) -> None:
                shutil.copytree(store, path)
                for other in path.glob("cache/*"):
                    # With its fit there, a preparation is not read.
                    if other.is_dir() and other.name != name.parts[1]:
                        shutil.rmtree(other)
                (path / name).unlink()
                change(path / name)
                facts = path.joinpath(*name.parts[:2], "fit.json")
                # /proc/kmsg is a file that never ends.
                if (
                    name.name != facts.name
                    and (path / name).is_file()
                    and (path / name).stat().st_size
                ):
                    told = json.loads(facts.read_text())
                    digest = hashlib.sha256((path / name).read_bytes()).hexdigest()
                    told["files"]["/".join(name.parts[3:])] = digest
                    facts.write_text(json.dumps(told))

            yield Case(f"{name.name} {what}", again, {"s": make})


OF_STORES: dict[str, Callable[..., Iterator[Case]]] = {
    "stores": stores,
    "packs": packs,
    "caches": caches,
    "fits": fits,
}
"""Families that begin with a store: of fits with one whose generator learns."""
