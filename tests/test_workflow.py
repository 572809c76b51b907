"""The workflow for a public forge runs README's two commands on each Python that the package names."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "readme.yml"


def test_it_runs_both_commands_on_each_python_of_the_classifiers() -> None:
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["readme"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))

    assert job["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"
    steps = [step["run"] for step in job["steps"] if "run" in step]
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in ("make demo", "make test"):
        assert command in steps
        assert re.search(rf"^{command}\b", readme, re.MULTILINE)
