"""The specification of a trial: everything that determines its result, and nothing else."""

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hsiaug.base.text import seeds_option, shortest
from hsiaug.core.view_names import DEFAULT_VIEW, RAW, with_view
from hsiaug.protocol.balance import Rate, synthetic_only_rate
from hsiaug.registry.card import (
    Card,
    identity_params,
    preparing_params,
    sampling_params,
)
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.importing import OWN
from hsiaug.registry.lookup import Found, registry
from hsiaug.registry.plugin_code import Code, code_of
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.task import get_task, task_words
from hsiaug.tasks.types import TaskData
from hsiaug.trial.arm import BOTH, SYNTHETIC, Arm, Method
from hsiaug.trial.record_json import Record, short_hash

SPEC_FORMAT = 1
"""Raise when the same spec gives another result than before (a change of protocol, metric or
seeding).
"""
OMEGA_CONVENTION = "eps = (1+omega)*eps(text) - omega*eps(null)"


@dataclass(frozen=True)
class PluginSpec:
    """A plugin with its version and hyper-parameters.

    Attributes
    ----------
    text : str or None
        Hash of the descriptions it reads, if it reads any.
    parameter_in_name : str or None
        The parameter whose value stands behind the colon of its name, as in ``filtered:emp``.
    reads_raw : bool
        As of its card; that is no part of its identity.
    prepare_version : str
        Of a generator that prepares: that of what it prepares.
    """

    name: str
    version: str
    params: Any
    text: str | None = None
    parameter_in_name: str | None = field(default=None, compare=False)
    reads_raw: bool = field(default=False, compare=False)
    prepare_version: str = field(default="", compare=False)

    def as_json(self) -> dict[str, object]:
        """The same values for every trial of a plan: they are not to be changed."""
        identity: dict[str, object] = {
            "name": self.name,
            "version": self.version,
            "params": self._params,
        }
        return identity if self.text is None else {**identity, "text": self.text}

    @cached_property
    def _params(self) -> dict[str, object]:
        return identity_params(self.params)

    @cached_property
    def hash(self) -> str:
        """Hash of all of it."""
        return short_hash(self.as_json())

    def of_preparation(self, pixels: str, patch: int) -> dict[str, Any]:
        """All that determines what a generator prepares; hashed, it is the key.

        Parameters
        ----------
        pixels : str
            Checksum of those it is shown.
        """
        parameters = identity_params(preparing_params(self.params))
        version = self.prepare_version or self.version
        identity = {"name": self.name, "version": version, "params": parameters}
        return {"format": SPEC_FORMAT, "prepares": identity, "pixels": pixels, "patch": patch}

    @property
    def of_fit(self) -> dict[str, object]:
        """Identity of a generator's fit: all but the hyper-parameters that only sampling reads."""
        later = sampling_params(self.params)
        return {
            **self.as_json(),
            "params": {name: value for name, value in self._params.items() if name not in later},
        }


def plugin_spec(card: Card, params: object, data: TaskData) -> PluginSpec:
    """A plugin as it enters trials on a scene, or on a set of pairs."""
    text = (
        short_hash({name: list(lines) for name, lines in data.descriptions.items()})
        if card.text
        else None
    )
    return PluginSpec(
        name=card.name,
        version=card.version,
        params=params,
        text=text,
        parameter_in_name=card.parameter_in_name,
        reads_raw=card.reads_raw,
        prepare_version=card.prepare_version,
    )


@dataclass(frozen=True)
class TrialSpec:
    """One cell of a plan: scene × protocol × draw × generator × λ × ω × classifier.

    The name of an own scene is in the hash as well, for reports show its records under it; its
    splits do not depend on it.

    Attributes
    ----------
    patch : int
        Side in pixels.
    seed : int
        Number of the split.
    rate : Rate
        How many synthetic samples.
    omega : float or None
        Guidance strength, None for generators that take none.
    draws : str or None
        What the splits were seeded with; None = the name of the scene.
    view : str
        Spectral view that the classifier is shown, or ``auto``.
    train : str
        Both, or synthetic: it then learns from synthetic samples alone, of every class as many
        as there are of both.
    """

    task: str
    scene: str
    scene_sha256: str
    protocol: SplitProtocol
    patch: int
    seed: int
    generator: PluginSpec
    classifier: PluginSpec
    rate: Rate
    omega: float | None
    draws: str | None = None
    view: str = RAW
    train: str = BOTH

    def __post_init__(self) -> None:
        if self.draws == self.scene:
            object.__setattr__(self, "draws", None)

    def as_json(self) -> dict[str, object]:
        return {
            "format": SPEC_FORMAT,
            **self._draw(),
            "generator": self.generator.as_json(),
            "classifier": self.classifier.as_json(),
            "lambda": self.rate.lam,
            # Records from before there was M have no such key.
            **({"times": self.rate.times} if self.rate.times else {}),
            "omega": self.omega,
            "omega_convention": None if self.omega is None else OMEGA_CONVENTION,
            # Records from before there were views have no such key.
            **({} if self.view == RAW else {"view": self.view}),
            **({} if self.train == BOTH else {"train": self.train}),
        }

    @property
    def generated_rate(self) -> Rate:
        """The rate at which samples are generated for it."""
        return synthetic_only_rate(self.rate) if self.train == SYNTHETIC else self.rate

    @property
    def usual_view(self) -> str:
        """The classifier's spectral view where the user names none."""
        chosen = DEFAULT_VIEW in get_task(self.task).views and not self.classifier.reads_raw
        return DEFAULT_VIEW if chosen else RAW

    @property
    def classifier_label(self) -> str:
        """The classifier, with its view where that is not the usual one."""
        name = self.classifier.name
        return name if self.view == self.usual_view else with_view(name, self.view)

    @cached_property
    def arm(self) -> Arm:
        """The generator with its rate and ω."""
        convention = None if self.omega is None else OMEGA_CONVENTION
        return Arm(
            Method.of(self.generator.as_json(), convention, train=self.train), self.rate, self.omega
        )

    @property
    def plugins(self) -> tuple[tuple[Kind, PluginSpec], ...]:
        """Its generator and its classifier, each with its kind."""
        return ("generator", self.generator), ("classifier", self.classifier)

    @property
    def code(self) -> dict[str, Code]:
        """The code of its plugins here and now, by kind; of its protocol where another package has
        it. It is no part of the hash.
        """
        parts = [(kind, plugin.name) for kind, plugin in self.plugins]
        parts += [key for key in self.third_party_parts if key[0] == "protocol"]  # type: ignore[misc]
        return code_of(parts)

    def is_of_this_code(self, record: Record) -> bool:
        """Whether a record of this trial was made with the code that its plugins have now. What was
        not run, as its λ asks for no sample, was made with none.
        """
        stated = record.get("code") or {}
        return not stated or all(
            code["sha256"] is None or code["sha256"] == (stated.get(kind) or {}).get("sha256")
            for kind, code in self.code.items()
        )

    @cached_property
    def third_party_parts(self) -> frozenset[tuple[str, str]]:
        """Parts of the trial that may leave traces in a process, which trials without these parts
        must not see: kind and name of each plugin that does not come with hsiaug; where there is
        one, also ``("draw", hash)``, as such a plugin may keep the labels of the split.

        Looked up once, before the trial is sent to a worker: the answer goes with it.
        """
        known = registry()
        plugins: Mapping[Any, Found] = known.plugins
        found = {kind: known.get(kind, plugin.name) for kind, plugin in self.plugins}
        named = {
            (kind, one.name if (one := found[kind]) else plugin.name.partition(":")[0])
            for kind, plugin in self.plugins
        }
        # A protocol may build on others, which are named in its argument, beside numbers.
        protocols = {("protocol", name) for name in self.protocol.text.split(":")} & plugins.keys()
        parts = {
            key
            for key in named | protocols
            if key not in plugins or plugins[key].distribution != OWN
        }
        return frozenset({*parts, ("draw", self.draw_hash)} if parts else ())

    @property
    def code_of_fit(self) -> tuple[tuple[str, str], ...]:
        """The other packages that have a part in its fit, of its generator and of its protocol:
        name and digest, which is empty where the version decides.
        """
        parts = [part for part in self.third_party_parts if part[0] in ("generator", "protocol")]
        packages = set()
        for kind, name in parts:
            code = code_of([(kind, name)]).get(kind, {})  # type: ignore[list-item]
            packages.add((code.get("package") or name, code.get("sha256") or ""))
        return tuple(sorted(packages))

    @cached_property
    def hash(self) -> str:
        """Content hash: the name of the trial's record."""
        return short_hash(self.as_json())

    @cached_property
    def draw_hash(self) -> str:
        """Hash of the split alone."""
        return short_hash(self._draw())

    @cached_property
    def fit_hash(self) -> str:
        """Hash of all that determines the fitted generator."""
        return short_hash(
            {"format": SPEC_FORMAT, **self._draw(), "generator": self.generator.of_fit}
        )

    @cached_property
    def samples_hash(self) -> str:
        """Hash of all that determines the synthetic samples, whatever learns from them."""
        sampling = {
            "lambda": self.generated_rate.lam,
            "times": self.generated_rate.times,
            "omega": self.omega,
        }
        identity = {"format": SPEC_FORMAT, **self._draw(), "generator": self.generator.as_json()}
        return short_hash({**identity, **sampling})

    def _draw(self) -> Mapping[str, object]:
        # Public scenes are seeded by their names, and their records have no such key.
        seeded = {} if self.draws is None else {"draws": self.draws}
        return {
            **seeded,
            "task": self.task,
            "scene": {"name": self.scene, "sha256": self.scene_sha256},
            "protocol": self.protocol.as_json(),
            "patch": self.patch,
            "seed": self.seed,
        }


# The command that runs a trial again


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
