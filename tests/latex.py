"""LaTeX, where it is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def need_latex(*programs: str) -> None:
    """Skip the test where LaTeX, one of ``programs`` or the class IEEEtran is not installed."""
    for program in ("pdflatex", "kpsewhich", *programs):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: texlive-latex-base, texlive-binaries")
    if subprocess.run(["kpsewhich", "IEEEtran.cls"], capture_output=True).returncode:
        pytest.skip("IEEEtran.cls is not installed: texlive-publishers")


def compile_latex(path: Path) -> str:
    """The log of one run of pdflatex, which must not fail."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True)
    log = path.with_suffix(".log").read_text("utf-8", errors="replace")
    assert done.returncode == 0, log[-3000:]
    return log


def overfull(log: str) -> list[float]:
    """Points by which boxes stick out of the text, of each that does."""
    return [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
