"""Make the pictures of the guide anew, by the commands that its pages print.

    python -m benchmarks.docs_images [FOLDER]

FOLDER, a temporary one unless it is named, holds the scene of the quickstart and its records: named
again, it takes the trials that are there. Needs Chromium and the package playwright for the
pictures of the page, and some minutes for the trials.
"""

from __future__ import annotations

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
from benchmarks.docs_figures import keep_picture

DOCS = HERE.parent / "docs"
WIDTHS, HEIGHT = (1280, 390), 640
"""A desktop and a phone, in the pixels of their pages."""
SCALE = 0.75
"""Pixels of the picture per pixel of a page: the browser draws its letters at that size."""
COMMANDS = (
    "benchmark indian_pines --dry-run --out indian_pines_split.png",
    "label indian_pines --number 16 --out suggest_indian_pines.png",
    "benchmark indian_pines --protocol within:all --dry-run --out gallery_within.png",
    "benchmark indian_pines --task segmentation --protocol blocks:48 --dry-run"
    " --out gallery_tiles.png",
    "inspect indian_pines --generator smote --out look",
)
"""Commands of the pages whose pictures need no trial."""
PICTURES = {"look/contact_sheet.png": "gallery_patches", "look/pca.png": "gallery_pca"}
"""A file of FOLDER whose name in docs/images differs."""
GAP, GREY = 30, (209, 213, 219)


def main(folder: Path) -> None:
    """Run the commands, and keep what they wrote, small enough for a page."""
    for line in COMMANDS:
        hsiaug(line, folder)
    own_scene(folder)
    for path in folder.glob("*.png"):
        keep_picture(path, path.stem)
    for path, name in PICTURES.items():
        keep_picture(folder / path, name)


def own_scene(folder: Path) -> None:
    """What the quickstart does with a scene of the user's own."""
    (code,) = re.findall(r"```python\n(.*?farm\.npy.*?)```", quickstart(), re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    hsiaug("datasets add farm.npy --labels fields.csv", folder)
    hsiaug(command("benchmark farm.toml"), folder)
    hsiaug("report --out report.html", folder)
    hsiaug("map farm.toml --out farm_map.png", folder)
    screenshot(folder / "report.html", folder / "farm_report.png")


def quickstart() -> str:
    """The page whose scene and commands these are."""
    return (DOCS / "quickstart.md").read_text(encoding="utf-8")


def command(begin: str) -> str:
    """The one command of the quickstart that begins so, without ``hsiaug``."""
    (line,) = set(re.findall(rf"^hsiaug ({re.escape(begin)}.*)$", quickstart(), re.MULTILINE))
    return line


def screenshot(page: Path, out: Path) -> None:
    """The top of a page as it is on a desktop, and next to it as on a phone."""
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
