"""Packages with a pyproject.toml, installed into a folder of their own as ``pip install`` would."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

__all__ = ["CAN_BUILD", "install_by_hand", "install_wheel"]

CAN_BUILD = find_spec("hatchling") is not None
"""Whether a wheel can be built here without a download."""


def install_wheel(source: Path, site: Path) -> Path:
    """Build the wheel of the package in ``source``, install it into ``site``, and return the
    wheel.
    """
    # Built from a copy, so that nothing is written beside the source.
    copy = shutil.copytree(source, site.with_name(f"{site.name}-source"))
    wheels = site.with_name(f"{site.name}-wheels")
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel")
    run(*build, "--directory", str(wheels), cwd=copy)
    (wheel,) = wheels.glob("*.whl")
    # To install a wheel of Python modules is to unpack it.
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    return wheel


def install_by_hand(source: Path, site: Path) -> None:
    """What the wheel of a package of single modules would put into ``site``: the modules, and who
    registers them.
    """
    project = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    for module in source.glob("*.py"):
        shutil.copy(module, site)
    groups = (
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n\n".join(groups))
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )


def run(*words: str, cwd: Path) -> None:
    """Run a command in a folder, and show what it said where it fails."""
    answer = subprocess.run(words, cwd=cwd, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
