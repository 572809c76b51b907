"""The command line that reruns a trial."""

from __future__ import annotations

import dataclasses
import shlex

from hsiaug.base.text import shortest
from hsiaug.tasks.task import USUAL
from hsiaug.trial.ceilings import family_of
from hsiaug.trial.spec import PluginSpec, TrialSpec

__all__ = ["command_for"]


def command_for(trial: TrialSpec, scene_ref: str) -> str:
    """``hsiaug benchmark …`` that runs this trial again; the controls, which every benchmark runs, come along."""
    words = ["hsiaug", "benchmark", scene_ref]
    if trial.task != USUAL:
        words += ["--task", trial.task]
    arm = ["none", "--ceilings", family_of(trial.generator.name)] if trial.diagnosis else [trial.generator.name]
    words += ["--generator", *arm, "--classifier", trial.classifier.name]
    if trial.view != trial.usual_view:
        words += ["--view", trial.view]
    words += ["--lambda", shortest(trial.lam)]
    if trial.omega is not None:
        words += ["--omega", shortest(trial.omega)]
    words += ["--protocol", trial.protocol.text, "--buffer", trial.protocol.buffer]
    words += ["--patch", str(trial.patch), "--seeds", f"{trial.seed}-{trial.seed}"]
    for plugin in (trial.generator, trial.classifier):
        words += _settings(plugin)
    return shlex.join([*words, "--existing", "all"])


def _settings(plugin: PluginSpec) -> list[str]:
    """``--set`` for every parameter that is not at its default, whichever preset it came from."""
    default = type(plugin.params)()
    words = []
    for item in dataclasses.fields(plugin.params):
        value = getattr(plugin.params, item.name)
        if value != getattr(default, item.name):
            words += ["--set", f"{plugin.name}.{item.name}={value}"]
    return words
