"""Scenes of many GB in 2 GB of memory: import, a benchmark and a map, beside a plain loop over
windows of rasterio.

    python -m benchmarks.large_scene 0.5 1 2 4 --folder FOLDER --out
    benchmarks/results/scale/large_scene.csv

Each scene is an ENVI file of float32 (200 bands, 2000 columns) of six made-up materials in fields
of 40 × 40 pixels, 60 of which are labelled in a corner; the noise of a row of fields is that of the
first, moved. Every command runs in a control group (version 1, root) whose memory, page cache
included, is limited to 2 GB. Prints and writes seconds by the clock and of the processor, the peak
of the memory that is no page cache, and that of unnamed temporary files. The loop trains a pipeline
of scikit-learn on 600 labelled pixels, and predicts window after window.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from benchmarks.common import say, write_csv

BANDS, COLUMNS, FIELD, CLASSES = 200, 2000, 40, 6
LABELLED = 5
"""Rows and columns of a field that are labelled, in 60 fields: 1,500 pixels."""
GROUP = Path("/sys/fs/cgroup/memory/hsiaug_large_scene")
BUSY = Path("/sys/fs/cgroup/cpuacct/hsiaug_large_scene")
"""Control groups of memory, and of the processor seconds of all processes of a command."""
LIMIT = 2 * 2**30
HEADER = """ENVI
samples = {columns}
lines = {rows}
bands = {bands}
header offset = 0
file type = ENVI Standard
data type = 4
interleave = bip
byte order = 0
map info = {{UTM, 1, 1, 500000, 5000000, 1, 1, 32, North, WGS-84}}
wavelength units = Nanometers
wavelength = {{{waves}}}
"""
LOOP = """
import sys
import numpy as np, rasterio
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
cube, labels, out = sys.argv[1:]
known = np.load(labels)
with rasterio.open(cube) as source:
    rows, columns = np.nonzero(known)
    picks = np.random.default_rng(0).permutation(len(rows))[:600]
    places = zip(rows[picks], columns[picks])
    pixels = [source.read(window=((r, r + 1), (c, c + 1))).ravel() for r, c in places]
    model = make_pipeline(StandardScaler(), SVC(C=100))
    model.fit(pixels, known[rows[picks], columns[picks]])
    size = {"height": source.height, "width": source.width}
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8"} | size
    with rasterio.open(out, "w", **profile) as target:
        for top in range(0, source.height, 16):
            window = ((top, min(top + 16, source.height)), (0, source.width))
            block = source.read(window=window)
            called = model.predict(block.reshape(len(block), -1).T)
            target.write(called.reshape(1, *block.shape[1:]).astype("uint8"), window=window)
"""


def make_scene(folder: Path, gigabytes: float) -> int:
    """Write ``scene.hdr``, its data and ``labels.npy``; how many pixels."""
    rng, fields = np.random.default_rng(0), round(gigabytes * 1e9 / (4 * BANDS * COLUMNS * FIELD))
    spectra = (
        (0.3 + 0.1 * np.cumsum(rng.normal(0, 0.2, (CLASSES, BANDS)), axis=1))
        .clip(0.02, 0.9)
        .astype(np.float32)
    )
    rows, across = fields * FIELD, COLUMNS // FIELD
    ids = rng.integers(1, CLASSES + 1, (fields, across)).astype(np.uint8)
    # As many labels whatever the size.
    known = np.zeros(fields * across, dtype=bool)
    known[np.linspace(0, known.size - 1, 60).astype(int)] = True
    labels = np.where(known.reshape(ids.shape), ids, 0)
    part = np.zeros((FIELD, FIELD), dtype=np.uint8)
    part[:LABELLED, :LABELLED] = 1
    np.save(folder / "labels.npy", np.kron(labels, part))
    waves = ", ".join(f"{nm:.1f}" for nm in np.linspace(400, 2400, BANDS))
    (folder / "scene.hdr").write_text(
        HEADER.format(columns=COLUMNS, rows=rows, bands=BANDS, waves=waves)
    )
    noise = 0.02 * rng.standard_normal((FIELD, COLUMNS, BANDS), dtype=np.float32)
    with (folder / "scene.img").open("wb") as file:
        for row in ids:
            field = np.repeat(spectra[row - 1], FIELD, axis=0)[None]
            file.write((field + np.roll(noise, int(rng.integers(COLUMNS)), axis=1)).data)
    return rows * COLUMNS


def limited(words: list[str], folder: Path) -> dict[str, float]:
    """Seconds by the clock and of the processor of a command in the group; peaks of its memory
    without page cache, and of its temporary files, in MB.
    """
    for group in (GROUP, BUSY):
        group.mkdir(exist_ok=True)
    (BUSY / "cpuacct.usage").write_text("0")
    (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT))
    start, peak, files = time.perf_counter(), 0, 0

    def enter() -> None:
        for group in (GROUP, BUSY):
            (group / "cgroup.procs").write_text(str(os.getpid()))

    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, preexec_fn=enter)
        while process.poll() is None:
            told = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
            peak, files = max(peak, int(told["total_rss"])), max(files, unnamed_bytes())
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(
            f"{words}: exit code {process.returncode}\n{(folder / 'log.txt').read_text()[-2000:]}"
        )
    busy = int((BUSY / "cpuacct.usage").read_text()) / 1e9
    return {
        "wall": time.perf_counter() - start,
        "processor": busy,
        "mb": peak / 2**20,
        "temporary_mb": files / 2**20,
    }


def unnamed_bytes() -> int:
    """Bytes on disk of the files without a name that processes of the group hold open."""
    sizes = {}
    for pid in (GROUP / "cgroup.procs").read_text().split():
        with suppress(OSError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    found = link.stat()
                    if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                        sizes[found.st_dev, found.st_ino] = 512 * found.st_blocks
    return sum(sizes.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gigabytes", type=float, nargs="+")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    rows = []
    if asked.folder is not None:
        asked.folder.mkdir(parents=True, exist_ok=True)
    for size in asked.gigabytes:
        with tempfile.TemporaryDirectory(dir=asked.folder) as name:
            folder = Path(name)
            pixels = make_scene(folder, size)
            command = [sys.executable, "-m", "hsiaug"]
            run = [
                "benchmark",
                "scene.toml",
                "--generator",
                "smote",
                "--classifier",
                "svm",
                "--lambda",
                "1",
            ]
            commands = {
                "datasets add": [
                    *command,
                    "datasets",
                    "add",
                    "scene.hdr",
                    "--labels",
                    "labels.npy",
                ],
                "benchmark": [*command, *run, "--seeds", "1", "--jobs", "1", "--device", "cpu"],
                "map": [*command, "map", "scene.toml", "--classifier", "svm", "--out", "map.tif"],
                "loop over windows": [
                    sys.executable,
                    "-c",
                    LOOP,
                    "scene.img",
                    "labels.npy",
                    "plain.tif",
                ],
            }
            for what, words in commands.items():
                used = {key: round(value, 1) for key, value in limited(words, folder).items()}
                rows.append({"gb": size, "pixels": pixels, "command": what, **used})
                say(str(rows[-1]))
                write_csv(asked.out, rows)
            shutil.rmtree(folder / "hsiaug-results", ignore_errors=True)
    for group in (GROUP, BUSY):
        group.rmdir()


if __name__ == "__main__":
    main()
