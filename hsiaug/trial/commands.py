"""The command line that runs a trial again."""

import dataclasses
import shlex

from hsiaug.base.text import seeds_option, shortest
from hsiaug.tasks.task import task_words
from hsiaug.trial.arm import BOTH
from hsiaug.trial.spec import PluginSpec, TrialSpec


def command_for(trial: TrialSpec, scene_ref: str) -> str:
    """``hsiaug benchmark …`` that runs this trial again; the controls, which every benchmark runs,
    come along.
    """
    words = ["hsiaug", "benchmark", scene_ref, *task_words(trial.task)]
    words += ["--generator", trial.generator.name, "--classifier", trial.classifier.name]
    if trial.view != trial.usual_view:
        words += ["--view", trial.view]
    if trial.train != BOTH:
        words += ["--train", trial.train]
    words += ["--lambda", shortest(trial.rate.lam), "--times", shortest(trial.rate.times)]
    if trial.omega is not None:
        words += ["--omega", shortest(trial.omega)]
    words += ["--protocol", trial.protocol.text, "--buffer", trial.protocol.buffer]
    words += ["--patch", str(trial.patch), "--seeds", seeds_option([trial.seed])]
    for plugin in (trial.generator, trial.classifier):
        for name, value in changed_params(plugin).items():
            words += ["--set", f"{plugin.name}.{name}={value}"]
    return shlex.join(words)


def changed_params(plugin: PluginSpec) -> dict[str, str]:
    """Every parameter that neither the default nor the name, as in ``filtered:emp``, gives,
    whichever preset it came from, as ``--set`` takes it.
    """
    params, said = plugin.params, plugin.parameter_in_name
    default = type(params)(**({said: getattr(params, said)} if said else {}))
    values = {item.name: getattr(params, item.name) for item in dataclasses.fields(params)}
    return {name: str(value) for name, value in values.items() if value != getattr(default, name)}
