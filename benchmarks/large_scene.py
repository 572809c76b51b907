"""A scene of 8.5 GB through every step: what it takes of memory and time.

    python -m benchmarks.large_scene FOLDER
    python -m benchmarks.large_scene FOLDER --format geotiff --map rf

Simulates a scene in FOLDER (2,400 × 2,400 pixels, 370 bands, float32; fields of 20 × 20 pixels, those of 20 classes
labelled in part), writes it as an ENVI file in order BSQ or as a tiled, compressed GeoTIFF, and runs ``hsiaug datasets
add``, ``benchmark --dry-run`` twice, ``benchmark`` and ``map`` on it. Prints of each its seconds and, over all its
processes at once, the largest sum of anonymous memory and of resident memory with pages of mapped files, as sampled. At
the end everything that was written is removed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import descendants, say

CLASSES, FIELD, EVERY = 20, 20, 0.1
TILE = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--format", choices=("envi", "geotiff"), default="envi")
    parser.add_argument("--size", type=int, nargs=3, default=(2400, 2400, 370))
    parser.add_argument("--classifiers", default="svm,cnn2d,rf")
    parser.add_argument("--map", default="rf", help="classifier that maps")
    parser.add_argument(
        "--limit", type=float, help="GB of private memory that each process may take (RLIMIT_DATA)"
    )
    asked = parser.parse_args()
    root = asked.folder / "large_scene"
    root.mkdir(parents=True)
    try:
        start = time.perf_counter()
        cube = write(root, tuple(asked.size), asked.format)
        say(f"written in {time.perf_counter() - start:.0f} s: {cube.name}, {size_of(root) / 1e9:.2f} GB")
        for row in steps(root, cube, asked):
            say(json.dumps(row))
        say(json.dumps({"cache_gb": round(size_of(root / "cache") / 1e9, 2)}))
    finally:
        shutil.rmtree(root)


def steps(root: Path, cube: Path, asked: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Run one command after the other; what each took."""
    run = Run(root, asked.limit)
    yield run.hsiaug("datasets", "add", cube.name, "--labels", "labels.npy", "--out", "large.toml")
    plan = ["benchmark", "large.toml", "--generator", "smote", "--classifier", asked.classifiers]
    plan += ["--protocol", "issd:0.01", "--patch", "5", "--seeds", "2", "--jobs", "2", "--device", "cpu"]
    yield run.hsiaug(*plan, "--dry-run")
    shutil.rmtree(root / "cache", ignore_errors=True)
    yield run.hsiaug(*plan, "--dry-run", note="first time")
    yield run.hsiaug(*plan, "--dry-run", note="again")
    yield run.hsiaug("split", "large.toml", "--out", "split.png")
    yield run.hsiaug(*plan)
    records = [json.loads(path.read_text()) for path in root.glob("hsiaug-results/**/record.json")]
    for record in records:
        spec, times = record["spec"], record["timings"]
        yield {
            "trial": f"{spec['generator']['name']} {spec['classifier']['name']} draw {spec['seed']}",
            "status": record["status"],
            "seconds": {key: round(value, 1) for key, value in times.items()},
        }
    mapped = next(
        one for one in records if (one["status"], one["spec"]["classifier"]["name"]) == ("ok", asked.map)
    )
    yield run.hsiaug("map", "large.toml", "--record", mapped["hash"], "--out", "map.npy", "--device", "cpu")


class Run:
    """Runs commands in a folder and watches their memory."""

    def __init__(self, root: Path, limit: float | None) -> None:
        self.root, self.limit = root, limit
        self.env = {**os.environ, "HSIAUG_CACHE_DIR": str(root / "cache"), "OMP_NUM_THREADS": "1"}

    def hsiaug(self, *words: str, note: str = "") -> dict[str, object]:
        """Seconds and peaks of one command."""
        command = [sys.executable, "-m", "hsiaug", *words]
        if self.limit:
            command = ["sh", "-c", f'ulimit -d {int(self.limit * 1e6)}; exec "$@"', "sh", *command]
        start, peak = time.perf_counter(), {"RssAnon": 0, "VmRSS": 0}
        with (self.root / "log.txt").open("a") as log:
            process = subprocess.Popen(command, cwd=self.root, env=self.env, stdout=log, stderr=log)
            while process.poll() is None:
                for key, size in memory(process.pid).items():
                    peak[key] = max(peak[key], size)
                time.sleep(EVERY)
        if process.returncode:
            raise SystemExit((self.root / "log.txt").read_text()[-4000:])
        return {
            "command": " ".join([*words[:2], *([note] if note else [])]),
            "seconds": round(time.perf_counter() - start, 1),
            "anonymous_gb": round(peak["RssAnon"] / 1e6, 2),
            "resident_gb": round(peak["VmRSS"] / 1e6, 2),
        }


def memory(root: int) -> dict[str, int]:
    """kB of anonymous and of all resident memory, summed over a process and all that it started."""
    total = {"RssAnon": 0, "VmRSS": 0}
    for pid in (root, *descendants(root)):
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                key, _, value = line.partition(":")
                if key in total:
                    total[key] += int(value.split()[0])
    return total


def write(root: Path, shape: tuple[int, int, int], kind: str) -> Path:
    """Simulate the scene in a folder; the path of its cube."""
    height, width, bands = shape
    rng = np.random.default_rng(0)
    fields = rng.integers(1, CLASSES + 1, (-(-height // FIELD), -(-width // FIELD)))
    # Few fields are labelled, and unequally many of the classes.
    known = rng.random(fields.shape) < np.linspace(0.003, 0.014, CLASSES)[fields - 1]
    grown = np.kron(np.where(known, fields, 0), np.ones((FIELD, FIELD), dtype=np.int16))[:height, :width]
    np.save(root / "labels.npy", grown.astype(np.int16))
    steps_of = np.cumsum(rng.normal(0, 0.01, (CLASSES + 1, bands)), axis=1)
    means = (0.4 + steps_of + np.linspace(-0.03, 0.03, CLASSES + 1)[:, None]).astype(np.float32)
    writer = write_envi if kind == "envi" else write_geotiff
    return writer(root, shape, simulated(shape, np.repeat(np.repeat(fields, FIELD, 0), FIELD, 1), means))


def simulated(
    shape: tuple[int, int, int], classes: NDArray[np.int64], means: NDArray[np.float32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """First row and (rows, W, B) of one stripe after the other; values are multiples of 2⁻¹², as of a real sensor."""
    height, width, bands = shape
    for top in range(0, height, TILE):
        rng = np.random.default_rng(top)
        here = classes[top : min(top + TILE, height), :width]
        stripe = rng.standard_normal((*here.shape, bands), dtype=np.float32)
        stripe *= np.float32(0.03)
        stripe += means[here]
        stripe *= np.float32(4096)
        yield top, np.rint(stripe, out=stripe) / np.float32(4096)


def write_envi(
    root: Path, shape: tuple[int, int, int], stripes: Iterator[tuple[int, NDArray[np.float32]]]
) -> Path:
    """Bands one after the other."""
    height, width, bands = shape
    centres = ", ".join(f"{nm:.1f}" for nm in np.linspace(400, 2500, bands))
    (root / "large.hdr").write_text(
        f"ENVI\nsamples = {width}\nlines = {height}\nbands = {bands}\nheader offset = 0\nfile type = ENVI Standard\n"
        f"data type = 4\ninterleave = bsq\nbyte order = 0\nwavelength units = nm\nwavelength = {{{centres}}}\n"
    )
    with (root / "large.img").open("wb") as file:
        for top, stripe in stripes:
            for band in range(bands):
                file.seek(4 * width * (band * height + top))
                file.write(np.ascontiguousarray(stripe[:, :, band]).data)
    return root / "large.hdr"


def write_geotiff(
    root: Path, shape: tuple[int, int, int], stripes: Iterator[tuple[int, NDArray[np.float32]]]
) -> Path:
    """Tiles of all bands, deflated."""
    import rasterio
    from rasterio.windows import Window

    height, width, bands = shape
    options = {"tiled": True, "blockxsize": TILE, "blockysize": TILE, "interleave": "pixel", "compress": "deflate"}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(2, 0, 4e5, 0, -2, 5e6)}
    with rasterio.open(
        root / "large.tif", "w", driver="GTiff", width=width, height=height, count=bands, dtype="float32",
        zlevel=1, bigtiff="yes", **options, **place,
    ) as file:  # fmt: skip
        for top, stripe in stripes:
            file.write(stripe.transpose(2, 0, 1), window=Window(0, top, width, len(stripe)))
    return root / "large.tif"


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
