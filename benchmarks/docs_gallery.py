"""Make the pictures of docs/gallery.md anew.

    python -m benchmarks.docs_gallery [FOLDER]

FOLDER, a temporary one unless it is named, holds the records: named again, it takes the trials that
are there. The trials take some minutes. The picture of the LaTeX table takes pdflatex with booktabs
(texlive-latex-recommended) and pdftoppm, that of the report Chromium and the package playwright.
"""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

from PIL import Image

from benchmarks.common import HERE, check_usage, hsiaug, in_folder
from benchmarks.docs_figures import lighter
from benchmarks.docs_images import screenshot

DOCS = HERE.parent / "docs"
IMAGES = DOCS / "images"
DEMO = "hills --generator relight,smote --set relight.strength=2 --classifier svm --view raw"
COMMANDS = (
    f"benchmark {DEMO} --seeds 10 --store demo",
    "report --store demo --out card.svg --columns 1",
    "report --store demo --by gain --out gain.png",
    "report --store demo --out table.tex",
    "report --store demo --out report.html",
    f"benchmark {DEMO} --lambda 0.25,0.5,1,2 --seeds 5 --store sweep",
    "report --store sweep --by lambda --out lambda.png",
    f"labels {DEMO} --seeds 5 --store labels",
    "report --store labels --by labels --out labels.png",
    "split indian_pines --protocol within:all --out within.png",
    "split indian_pines --task segmentation --protocol blocks:48 --out tiles.png",
    "inspect indian_pines --generator smote --lambda 1 --out look",
)
"""What is typed in FOLDER, behind ``hsiaug``."""
PICTURES = {
    "report.png": "gallery_report",
    "gain.png": "gallery_gain",
    "lambda.png": "gallery_lambda",
    "labels.png": "gallery_labels",
    "within.png": "gallery_within",
    "tiles.png": "gallery_tiles",
    "look/contact_sheet.png": "gallery_patches",
    "look/pca.png": "gallery_pca",
    "table.png": "gallery_latex",
}
"""A file of FOLDER, and its name in docs/images."""
SIZES = (1200, 64), (900, 32), (750, 32)
"""Most pixels across and colours of a picture, of larger ones too."""
LARGEST, LARGEST_CARD = 100_000, 40_000
"""Bytes of a picture, and of the card."""
PAPER = r"""\documentclass{article}
\usepackage[paperwidth=17cm,paperheight=24cm,margin=1cm]{geometry}
\usepackage{array,booktabs}
\pagestyle{empty}
\begin{document}
%s
\end{document}
"""


def main(folder: Path) -> None:
    """Run the commands, and keep what they wrote, small enough for a page."""
    for command in COMMANDS:
        for file in re.findall(r"--out (\S+\.\w+)", command):
            (folder / file).unlink(missing_ok=True)
        hsiaug(command, folder)
    typeset(folder)
    screenshot(folder / "report.html", folder / "report.png")
    for file, name in PICTURES.items():
        kept(IMAGES / f"{name}.png", small(folder / file), LARGEST)
    kept(IMAGES / "card.svg", lighter((folder / "card.svg").read_bytes()), LARGEST_CARD)


def kept(path: Path, content: bytes, largest: int) -> None:
    """Write a file of the documentation. Raises SystemExit where it is larger than it may be."""
    if len(content) > largest:
        raise SystemExit(f"{path.name}: {len(content):,} bytes, of {largest:,} at most")
    path.write_bytes(content)


def small(picture: Path) -> bytes:
    """The same picture no wider than a page shows it, in as few colours as tell no difference."""
    with Image.open(picture) as opened:
        whole = opened.convert("RGB")
    for width, colours in SIZES:
        across = min(width, whole.width)
        shown = whole.resize(
            (across, round(whole.height * across / whole.width)), Image.Resampling.LANCZOS
        )
        out = io.BytesIO()
        shown.quantize(
            colours, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
        ).save(out, "PNG", optimize=True)
        if len(out.getvalue()) <= LARGEST:
            break
    return out.getvalue()


def typeset(folder: Path) -> None:
    """table.png: the first LaTeX table as it is printed."""
    first, end, _ = (folder / "table.tex").read_text(encoding="utf-8").partition(r"\end{table*}")
    (folder / "paper.tex").write_text(
        PAPER % f"{first}{end}".replace("htbp", "t"), encoding="utf-8"
    )
    for words in (
        ("pdflatex", "-interaction=batchmode", "paper.tex"),
        ("pdftoppm", "-singlefile", "-r", "150", "-png", "paper.pdf", "page"),
    ):
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with Image.open(folder / "page.png") as page:
        grey = page.convert("L")
        box = grey.point(lambda value: 255 * (value < 200)).getbbox()
        assert box is not None
        margin = (box[0] - 15, box[1] - 15, box[2] + 15, box[3] + 15)
        grey.crop(margin).save(folder / "table.png")


if __name__ == "__main__":
    check_usage(__doc__, 0, 1)
    in_folder(main)
