"""Draw the pictures of the documentation anew, by the commands that its pages print.

    python -m benchmarks.docs_images [FOLDER]

FOLDER, a temporary one unless it is named, holds the scene of the quickstart and its records: named
again, it takes the trials that are there. Needs Chromium and the package playwright for the page's
picture, and some minutes for the trials.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.common import HERE, check_usage, hsiaug, in_folder

DOCS = HERE.parent / "docs"
WIDTHS, HEIGHT = (1280, 390), 640
"""A desktop and a phone, in the pixels of their pages."""
SCALE = 0.75
"""Pixels of the picture per pixel of a page: the browser draws its letters at that size."""
LARGEST = 150_000
"""Bytes of a picture."""
PICKS = "suggest indian_pines -n 16 --protocol issd"
"""What docs/label-next.md shows."""
GAP, GREY = 30, (209, 213, 219)


def main(folder: Path) -> None:
    """Run the commands of the quickstart in a folder, and keep their pictures."""
    hsiaug("split indian_pines --protocol issd --out indian_pines_split.png", folder)
    hsiaug(f"{PICKS} --out suggest_indian_pines.png", folder)
    (code,) = re.findall(r"```python\n(.*?farm\.npy.*?)```", quickstart(), re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    for name in (
        "farm.toml",
        "farm_labels.npy",
        "farm_look.png",
    ):  # what the next command will not overwrite
        (folder / name).unlink(missing_ok=True)
    hsiaug("datasets add farm.npy --labels fields.csv", folder)
    hsiaug(command("benchmark farm.toml"), folder)
    hsiaug("report --out report.html", folder)
    hsiaug(f"map farm.toml --record {first_record(folder)} --out farm_map.png", folder)
    screenshot(folder / "report.html", folder / "farm_report.png")
    for name in (
        "indian_pines_split",
        "suggest_indian_pines",
        "farm_look",
        "farm_map",
        "farm_report",
    ):
        smallest = optimized((folder / f"{name}.png").read_bytes())
        (DOCS / "images" / f"{name}.png").write_bytes(
            smallest if len(smallest) < LARGEST else fewer_colours(smallest)
        )


def optimized(png: bytes) -> bytes:
    """The same pixels in as few bytes as there are at hand."""
    with Image.open(io.BytesIO(png)) as picture:
        out = io.BytesIO()
        picture.convert("RGB").save(out, "PNG", optimize=True)
    return min(png, out.getvalue(), key=len)


def fewer_colours(png: bytes) -> bytes:
    """The same picture in 256 colours, for one that is too large for a page."""
    with Image.open(io.BytesIO(png)) as picture:
        out = io.BytesIO()
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
    return out.getvalue()


def quickstart() -> str:
    """The page whose scene and commands these are."""
    return (DOCS / "quickstart.md").read_text(encoding="utf-8")


def command(begin: str) -> str:
    """The one command of the quickstart that begins so, without ``hsiaug``."""
    (line,) = set(re.findall(rf"^hsiaug ({re.escape(begin)}.*)$", quickstart(), re.MULTILINE))
    return line


def first_record(folder: Path) -> str:
    """Hash of the first trial of the network: what the quickstart maps."""
    rows = csv.DictReader(io.StringIO(hsiaug("report --by seed --format csv", folder)))
    return next(
        r["hash"]
        for r in rows
        if (r["generator"], r["classifier"], r["seed"]) == ("none", "cnn2d", "0")
    )


def screenshot(page: Path, out: Path) -> None:
    """The top of a page as it is on a desktop, and beside it as on a phone."""
    shots = []
    # The browser's own sandbox refuses to run for root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for width in WIDTHS:
            tab = browser.new_page(
                viewport={"width": width, "height": HEIGHT}, device_scale_factor=SCALE
            )
            tab.goto(page.as_uri())
            shots.append(Image.open(io.BytesIO(tab.screenshot())))
        browser.close()
    desktop, phone = shots
    sheet = Image.new("RGB", (desktop.width + GAP + phone.width, desktop.height), GREY)
    sheet.paste(desktop, (0, 0))
    sheet.paste(phone, (desktop.width + GAP, 0))
    sheet.save(out)


if __name__ == "__main__":
    check_usage(__doc__, 0, 1)
    in_folder(main)
