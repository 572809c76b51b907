"""The command lines that run a trial again and write its samples."""

import dataclasses
import shlex

from hsiaug.base.text import seeds_option, shortest
from hsiaug.protocol.balance import Rate
from hsiaug.tasks.task import get_task, task_words
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
    words += [*_drawn(trial, trial.rate), "--seeds", seeds_option([trial.seed])]
    for plugin in (trial.generator, trial.classifier):
        words += _settings(plugin)
    return shlex.join(words)


def generate_command(trial: TrialSpec, scene_ref: str) -> str:
    """``hsiaug generate …`` that writes the samples of this trial."""
    words = ["hsiaug", "generate", scene_ref, *task_words(trial.task)]
    words += [
        "--generator",
        trial.generator.name,
        *_drawn(trial, trial.generated_rate),
        "--seed",
        str(trial.seed),
    ]
    out = get_task(trial.task).sampling.file
    return shlex.join([*words, *_settings(trial.generator), "--out", out])


def _drawn(trial: TrialSpec, rate: Rate) -> list[str]:
    """Options of how much is made, and of which draw."""
    words = ["--lambda", shortest(rate.lam), "--times", shortest(rate.times)]
    if trial.omega is not None:
        words += ["--omega", shortest(trial.omega)]
    words += ["--protocol", trial.protocol.text, "--buffer", trial.protocol.buffer]
    return [*words, "--patch", str(trial.patch)]


def _settings(plugin: PluginSpec) -> list[str]:
    """``--set`` for every parameter that neither the default nor the name, as in ``filtered:emp``,
    gives, whichever preset it came from.
    """
    params, said = plugin.params, plugin.parameter_in_name
    default = type(params)(**({said: getattr(params, said)} if said else {}))
    words = []
    for item in dataclasses.fields(params):
        value = getattr(params, item.name)
        if value != getattr(default, item.name):
            words += ["--set", f"{plugin.name}.{item.name}={value}"]
    return words
