"""Cases of :mod:`benchmarks.faults.hostile` in scenes: headers that lie, odd names, outputs over
inputs, swaps.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image

from benchmarks.faults.hostile_cases import (
    ADD,
    CARD,
    CUBE,
    GOOD,
    HEADER,
    LABELS,
    READ,
    RUN,
    Case,
    Content,
    linked,
    precious,
    saved,
)

LARGE = {
    **GOOD,
    "c.npy": saved(np.save, np.tile(CUBE, (20, 20, 8))),
    "l.npy": saved(np.save, np.pad(LABELS, ((0, 19 * 24), (0, 19 * 20)))),
}
"""A scene of 37 MB, reading which takes a while."""


def headers(dice: random.Random) -> Iterator[Case]:
    """Scenes whose headers lie about their size: ENVI, pictures, GeoTIFF and .npy."""
    lies = (
        0,
        -1,
        1,
        23,
        25,
        2**15,
        2**31 - 1,
        2**31,
        2**40,
        2**63,
        10**30,
        "",
        "nan",
        "1e9",
        "{1, 2}",
    )
    keys = (
        "samples",
        "lines",
        "bands",
        "data type",
        "header offset",
        "byte order",
        "interleave",
        "wavelength",
        "bbl",
        "data ignore value",
    )
    for key in keys:
        for value in lies:
            text = HEADER.decode() + f"{key} = {value}\n"
            yield Case(
                f"ENVI {key} {value}",
                READ[3],
                {**GOOD, "x.hdr": text.encode(), "x.img": CUBE.tobytes()},
            )
    for end, form, at in (
        ("png", ">I", (16, 20)),
        ("bmp", "<i", (18, 22)),
        ("bmp", "<i", (10, 14, 28, 30)),
    ):
        raw = saved(lambda file, end=end: PIL.Image.fromarray(LABELS).save(file, end))
        for place in at:
            for value in (0, 1, 25, 2**16, 2**31 - 1):
                lying = bytearray(raw)
                lying[place : place + 4] = struct.pack(form, value)
                if end == "png":
                    lying[29:33] = struct.pack(">I", zlib.crc32(lying[12:29]))
                yield Case(
                    f"{end} {place} {value}",
                    (*ADD[:4], f"x.{end}", *ADD[5:]),
                    {**GOOD, f"x.{end}": bytes(lying)},
                )
    planes = [PIL.Image.fromarray(CUBE[:, :, band]) for band in range(6)]
    tiff = saved(lambda file: planes[0].save(file, "tiff"))
    (first,) = struct.unpack("<I", tiff[4:8])
    for tag in range(struct.unpack("<H", tiff[first : first + 2])[0]):
        for value in (0, 1, 25, 2**16, 2**31 - 1, 2**32 - 1):
            for part in (2, 4, 8):  # type, count, value
                lying = bytearray(tiff)
                at = first + 2 + 12 * tag + part
                lying[at : at + (2 if part == 2 else 4)] = struct.pack("<I", value)[
                    : 2 if part == 2 else 4
                ]
                words = dice.choice((READ[2], (*ADD[:4], "x.tif", *ADD[5:])))
                yield Case(f"TIFF tag {tag}.{part} {value}", words, {**GOOD, "x.tif": bytes(lying)})
    for shape in (
        (2**40, 2**40, 6),
        (-1, 20, 6),
        (24, 20, 7),
        (24, 20, 5),
        (0, 0, 0),
        (24, 20, 6, 1),
        (True, 20, 6),
    ):
        lying = saved(
            np.lib.format.write_array_header_1_0,
            {"descr": "<f4", "fortran_order": False, "shape": shape},
        )
        yield Case(f".npy {shape}", ADD, {**GOOD, "c.npy": lying + CUBE.tobytes()})


def names(dice: random.Random) -> Iterator[Case]:
    """Names of classes and scenes with control characters, escapes and line ends, in all that
    prints them.
    """
    odd = (
        "\x1b]0;t\x07",
        "\x1b[2J\x1b[H",
        "\x9b31m",
        "a\nb",
        "a\rb",
        "a\tb",
        "\u202eb",
        "\u2028",
        "\0",
        "\x7f",
        "\x08",
        "\ufeff",
    )
    commands = (
        ("split", "s.toml"),
        ("datasets", "info", "s.toml"),
        ("suggest", "s.toml", "-n", "2", "--out", "o.csv"),
        ("split", "s.toml", "--out", "o.md", "--out", "o.tex", "--out", "o.csv"),
        ("start", "."),
        ("map", "s.toml", "--out", "o.npy"),
    )
    for word in odd:
        for words in commands:
            told = json.dumps([word + "a", "b" + word, "c"], ensure_ascii=True)
            yield Case(
                f"class {word!r}: {words[0]}",
                words,
                {**GOOD, "s.toml": CARD.replace('["a", "b", "c"]', told).encode()},
            )
        told = (
            f"name = {json.dumps(word)}\ntitle = {json.dumps(word)}\n"
            + CARD
            + f"[descriptions]\na = [{json.dumps(word)}]\n"
        )
        for words in commands[:2]:
            yield Case(f"scene {word!r}: {words[0]}", words, {**GOOD, "s.toml": told.encode()})
        if "\0" not in word:
            for words in (
                ("datasets", "add", f"{word}.npy", *ADD[3:]),
                (*ADD, "--classes", f"{word},b,c"),
            ):
                yield Case(
                    f"file {word!r}: {words[0]}", words, {**GOOD, f"{word}.npy": GOOD["c.npy"]}
                )


def twice(dice: random.Random) -> Iterator[Case]:
    """Two files of one name, and outputs that are inputs: directly, by a link, a hard link, or in
    other letters.
    """
    png = saved(lambda file: PIL.Image.fromarray(LABELS).save(file, "png"))
    card = CARD.replace("l.npy", "l.png")
    good: dict[str, Content] = {
        "c.npy": GOOD["c.npy"],
        "l.npy": GOOD["l.npy"],
        "l.png": png,
        "s.toml": card.encode(),
    }
    good |= {"t.toml": CARD.encode(), "p.csv": b"row,col,class\n1,1,1\n1,15,2\n15,1,3\n"}
    good |= {
        f"link.{end}": partial(linked, one) for one in ("c.npy", "l.png") for end in [one[-3:]]
    }
    good |= {"hard.npy": lambda path: os.link(path.with_name("c.npy"), path)}
    good |= {"sub": lambda path: (path.mkdir(), shutil.copy(path.with_name("s.toml"), path))}
    commands = (
        ("map", "s.toml", "--out", "l.png"),
        ("map", "s.toml", "--out", "c.npy"),
        ("map", "s.toml", "--out", "link.npy"),
        ("map", "s.toml", "--out", "link.png"),
        ("map", "s.toml", "--out", "hard.npy"),
        ("map", "s.toml", "--out", "./sub/../l.png"),
        ("map", "s.toml", "--out", "a.png", "--out", "./a.png"),
        ("map", "t.toml", "--out", "l.npy"),
        ("split", "s.toml", "--out", "l.png"),
        ("split", "s.toml", "--out", "a.md", "--out", "a.md"),
        ("suggest", "s.toml", "-n", "2", "--out", "l.png"),
        ("suggest", "s.toml", "-n", "2", "--out", "link.png"),
        (*ADD[:4], "l.png", "--out", "s.toml"),
        (*ADD[:4], "l.png", "--out", "s.toml", "--force"),
        (*ADD[:4], "p.csv", "--out", "l.toml"),
        (*ADD[:4], "p.csv", "--out", "l.toml", "--force"),
        ("datasets", "add", "c.npy", "--labels", "c.npy", "--out", "o.toml"),
        ("benchmark", "s.toml,t.toml", "--dry-run"),
        ("benchmark", "s.toml,sub/s.toml", "--dry-run"),
        ("generate", "s.toml", "--out", "c.npy"),
        ("inspect", "s.toml", "--out", "c.npy"),
        ("inspect", "s.toml", "--out", "sub/s.toml"),
        ("plugins", "new", "sub", "--kind", "generator"),
        ("store", "merge", "sub", "sub"),
    )
    for words in commands:
        kept = (
            "c.npy",
            "l.npy",
            "l.png",
            "t.toml",
            "p.csv",
            "sub/s.toml",
            *(["s.toml"] if "--force" not in words else []),
        )
        yield Case(" ".join(words), words, good, kept=kept)


def swaps(dice: random.Random) -> Iterator[Case]:
    """Files and folders that another process replaces again and again by links, pipes or nothing,
    or writes anew.
    """
    more: dict[str, Content] = {
        "other.npy": saved(np.save, CUBE[:9]),
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
    }
    places = {"c.npy": ADD, "l.npy": ADD, "s.toml": ("split", "s.toml"), "o.toml": ADD}
    commands = [
        *places.items(),
        ("c.npy", (*RUN[:1], "s.toml", *RUN[2:], "--generator", "smote", "--store", "s")),
        ("l.npy", ("map", "s.toml", "--out", "o.npy")),
        ("o.npy", ("map", "s.toml", "--out", "o.npy")),
        *(
            (place, (*RUN, "--generator", "smote,mixup", "--store", "s"))
            for place in ("s", "s/records", "s/cache", "s/packs")
        ),
    ]
    for name, words in commands[:5]:
        for pause in (0.003, 0.02, 0.05):

            def cut(path: Path, name: str = name, pause: float = pause) -> None:
                if whole := (path / name).read_bytes() if (path / name).is_file() else b"":
                    os.truncate(path / name, len(whole) // 2)
                    time.sleep(pause)
                    (path / name).write_bytes(whole)
                time.sleep(dice.random() * pause)

            for size, files in (("", GOOD), ("a large ", LARGE)):
                yield Case(
                    f"{size}{name} written anew, {pause} s: {words[0]}", words, files, during=cut
                )
    for place, words in commands:
        for target in (
            "/dev/zero",
            "/proc/kmsg",
            "other.npy",
            "pipe",
            "folder",
            "precious",
            "nowhere",
            "..",
            None,
        ):
            for pause in (0.003, 0.05):

                def swap(
                    path: Path,
                    place: str = place,
                    target: str | None = target,
                    pause: float = pause,
                ) -> None:
                    one, away = path / place, path / "away"
                    with suppress(OSError):
                        one.rename(away)
                        if target:
                            one.symlink_to(
                                target if target.startswith(("/", ".")) else path / target
                            )
                        time.sleep(pause)
                        one.unlink(missing_ok=True)
                    with suppress(OSError):
                        away.rename(one)
                    time.sleep(dice.random() * pause)

                files = {**GOOD, **more, "precious": precious}
                yield Case(
                    f"{place} to {target}, {pause} s: {words[0]}",
                    words,
                    files,
                    during=swap,
                    kept=("precious",),
                )


OF_SCENES: dict[str, Callable[..., Iterator[Case]]] = {
    "headers": headers,
    "names": names,
    "twice": twice,
    "swaps": swaps,
}
