"""``make audit``: weaknesses fail it, and no answer is no pass."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KNOWN = "jinja2 3.1.2 GHSA-h5c8-rqwp-cp95"
AUDIT = """#!/bin/sh
case "$*" in *stdin*) echo "{probe}" ;; *) echo asked; exit {code} ;; esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize(
    ("probe", "code", "ends", "said"),
    [
        (KNOWN, 0, 0, "asked"),
        (KNOWN, 1, 2, "asked"),
        ("No known vulnerabilities found", 0, 0, "NOT AUDITED"),
    ],
)
def test_an_audit_fails_on_weaknesses_and_says_where_it_could_not_ask(
    probe: str, code: int, ends: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pip-audit"
    program.write_text(AUDIT.format(probe=probe, code=code))
    program.chmod(0o755)
    (tmp_path / ".dev").touch()
    done = subprocess.run(
        ["make", "audit", f"VENV={tmp_path}"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == ends, done.stderr
    assert said in done.stdout
