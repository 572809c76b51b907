"""Cards: what a plugin declares of itself. Nothing is guessed from a name."""

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from math import isfinite
from typing import Any, ClassVar, Generic, Literal, TypeVar

from hsiaug.base.errors import HsiaugError, InputError, PluginError, did_you_mean

Scope = Literal["none", "scene"]
ControlOf = Literal["", "all", "transductive", "masks"]
Input = Literal["patch", "spectrum", "location", "scene", "scene+samples"]
Params = TypeVar("Params")
Class = TypeVar("Class", bound=type)

PRESETS = ("tiny", "cpu", "paper")
"""Presets that may be asked of any plugin; a card may declare further ones."""
MOST = 10**18
"""Whole numbers are below this."""
SWITCHES = {
    **dict.fromkeys(("true", "1", "yes", "on", "y", "t"), True),
    **dict.fromkeys(("false", "0", "no", "off", "n", "f"), False),
}
KINDS = {
    int: "a whole number of at most 18 digits",
    float: "a float, and finite",
    bool: "true or false",
    str: "a text",
}


def param(
    default: object,
    help: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[object] = (),
    preparing: bool = False,
    sampling: bool = False,
    added: bool = False,
    formerly: str = "",
) -> Any:
    """Define a hyper-parameter of a params dataclass.

    Parameters
    ----------
    default : bool, int, float or str
        Default value; all values have its type.
    help : str
        Its meaning in one line.
    unit : str
        Unit of its values, or "".
    low, high : float or None
        Inclusive range; None = no bound.
    choices : sequence of object
        The allowed values; empty = any.
    preparing : bool
        Generators with ``Card.prepares``: whether ``prepare`` depends on it; all others have their
        defaults there.
    sampling : bool
        Generators: whether only sampling depends on it. Trials that differ in nothing else share
        one fit, and ``load`` must take its value from the plugin's params, not from what was saved:
        see :func:`resampled`.
    added : bool
        Whether a later version of the plugin added it, with a default that changes nothing. At its
        default it is not part of a trial's identity, so older records stay valid.
    formerly : str
        An earlier name, which users may still type for one version, with a warning.

    Returns
    -------
    dataclasses.Field
        The default of a field of the dataclass.

    See Also
    --------
    defaults : other defaults in a derived class.
    Card : has the params class.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from hsiaug.api import param
    >>> @dataclass(frozen=True)
    ... class Params:
    ...     noise: float = param(0.02, "standard deviation of the noise", low=0)
    >>> Params()
    Params(noise=0.02)
    """
    metadata = {
        "help": help,
        "unit": unit,
        "low": low,
        "high": high,
        "choices": tuple(choices),
        "preparing": preparing,
        "sampling": sampling,
        "added": added,
        "formerly": formerly,
    }
    return field(default=default, metadata=metadata)


def identity_params(params: Any) -> dict[str, object]:
    """The values of hyper-parameters that enter a trial's identity, by name: all but those that
    were added later and have their default.
    """
    late = {f.name: f.default for f in dataclasses.fields(params) if f.metadata.get("added")}
    values = dataclasses.asdict(params)
    return {name: v for name, v in values.items() if name not in late or late[name] != v}


def sampling_params(params: Any) -> list[str]:
    """Names of the hyper-parameters that only sampling reads."""
    return [item.name for item in dataclasses.fields(params) if item.metadata.get("sampling")]


def preparing_params(params: Params) -> Params:
    """The params that a generator's ``prepare`` is given: those that it reads, and the defaults of
    all others.
    """
    read = {
        f.name: getattr(params, f.name)
        for f in dataclasses.fields(params)  # type: ignore[arg-type]
        if f.metadata.get("preparing")
    }
    return type(params)(**read)


def resampled(saved: Params, current: Params) -> Params:
    """The params of a loaded fit, with the current values of sampling parameters.

    Parameters
    ----------
    saved : dataclass
        The params with which the fit was saved.
    current : dataclass
        The params of the plugin that loads it.

    Returns
    -------
    dataclass
        ``saved`` with the values of ``current`` for parameters with ``sampling=True``.

    See Also
    --------
    param : has the argument ``sampling``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from hsiaug.api import param, resampled
    >>> @dataclass(frozen=True)
    ... class Params:
    ...     steps: int = param(100, "steps of training")
    ...     scale: float = param(1.0, "factor of the samples", sampling=True)
    >>> resampled(Params(steps=50), Params(scale=2.0))
    Params(steps=50, scale=2.0)
    """
    values = {name: getattr(current, name) for name in sampling_params(current)}
    changed: Params = dataclasses.replace(saved, **values)  # type: ignore[type-var]
    return changed


ANY_TASK = "any"
"""Among the tasks of a card: also those of other packages."""


@dataclass(frozen=True)
class NoParams:
    """Hyper-parameters of a plugin that has none.

    See Also
    --------
    param : defines a hyper-parameter.
    """


@dataclass(frozen=True)
class Card:
    """Declaration of a plugin.

    The fields are in groups: first those of every plugin, then those of generators, classifiers and
    controls only.

    Attributes
    ----------
    name : str
        As users type it.
    version : str
        Raise it whenever results change; it is part of the hash of a trial.
    summary : str
        One line.
    paper : str
        Source of the method, or "": its BibTeX entries, as ``hsiaug report --cite`` writes them,
        possibly with words around them ("After @article{...}"), which BibTeX ignores.
    tasks : tuple of str
        Tasks of the plugin: "pixels" (classification of pixels by their patches), "segmentation"
        and "change" (masks of tiles of one date and of two), or a task of another package; with
        ANY_TASK in addition, all tasks.
    needs : tuple of str
        Modules beyond hsiaug's own dependencies; the plugin's extra.
    scope : {"none", "scene"}
        Unlabelled pixels that it uses: none, or those of the whole scene (transductive; printed in
        every report).
    text : bool
        Whether it reads class descriptions; those of the scene's card are then part of the hash of
        a trial.
    uses_device : bool
        Whether it computes on the device that the user chose; else it runs on the CPU.
    seconds : float
        Approximate seconds of one fit on Indian Pines under ``issd`` on one laptop core, for
        estimates until the store has a record.
    params : type
        Frozen dataclass of hyper-parameters, made with :func:`param`.
    presets : mapping of str to mapping of str to object
        Other values by preset name, one of PRESETS or the plugin's own, such as
        {"tiny": {"steps": 20}}; the defaults are the preset "cpu".
    variant : str or None
        The parameter that users set by typing ``NAME:VALUE`` instead of the plugin's name; None if
        there is none.
    adds : bool
        Generators: False if it never makes a sample (λ then has no meaning).
    guidance : float or None
        Generators: default guidance strength ω of one conditioned on texts or classes, where ω = 0
        is purely conditional; None if it takes no guidance.
    resumes : bool
        Generators: whether ``fit`` also takes ``checkpoint``, a folder for its progress. A fit that
        was killed finds there what it saved, and must end with the same result.
    prepares : bool
        Generators: whether ``prepare`` learns without labels, once per scene or set of training
        places; every ``fit`` gets its result.
    prepare_version : str
        Generators: the version of ``prepare``, if a new version of the plugin does not change its
        result; by default ``version``.
    prepare_seconds : float
        Generators: approximate seconds of ``prepare``, as ``seconds``.
    baseline : str
        Generators: the name of the generator that is this one without its main part, or "". It runs
        automatically with this one, and a report gives the difference.
    input : {"patch", "spectrum", "location", "scene", "scene+samples"}
        Classifiers: "patch", "spectrum" (the centre pixel only, p = 1), "location" (row and column,
        no band), "scene" (patches with row and column, always of raw spectra, for one that reads
        the scene itself) or "scene+samples" (the same, for one that also learns from synthetic
        samples). "location" and "scene" learn from training pixels only and run without synthetic
        samples only.
    control_of : {"", "all", "transductive", "masks"}
        Which generators have this plugin as a control, in the tasks that it serves: "all",
        "transductive" ones (their scope is "scene"), or those of "masks"; "" = none. It runs
        automatically with these, which have to beat all of their controls. Its ``Entry`` has
        ``control=True``. A classifier that is a control of "all" runs on raw spectra and never on
        synthetic samples; one of "transductive" ones without synthetic samples; one of "masks" only
        if the user names it.
    control_text : str
        Controls: a description in a few words, such as "real patches under another brightness", for
        reports and plans. Records contain it.

    See Also
    --------
    Entry : registers a plugin.
    param : a hyper-parameter.
    Plugin : base class of plugins.

    Examples
    --------
    >>> from hsiaug.api import Card
    >>> card = Card(name="gain", version="1", summary="Real patches with a random gain")
    >>> card.serves("pixels"), card.scope
    (True, 'none')
    """

    name: str
    version: str
    summary: str
    paper: str = ""
    tasks: tuple[str, ...] = ("pixels",)
    needs: tuple[str, ...] = ()
    scope: Scope = "none"
    input: Input = "patch"
    adds: bool = True
    guidance: float | None = None
    text: bool = False
    uses_device: bool = False
    resumes: bool = False
    prepares: bool = False
    prepare_version: str = ""
    prepare_seconds: float = 0.0
    seconds: float = 1.0
    params: type[Any] = NoParams
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    baseline: str = ""
    variant: str | None = None
    control_of: ControlOf = ""
    control_text: str = ""

    def serves(self, task: str) -> bool:
        """Whether it serves the task of that name."""
        return task in self.tasks or ANY_TASK in self.tasks

    @property
    def parameter_in_name(self) -> str | None:
        """The parameter whose value follows the colon of the name; None without a colon."""
        return self.variant if ":" in self.name else None

    @property
    def always_runs(self) -> bool:
        """True for a control that runs in every benchmark of its tasks."""
        return self.control_of in ("all", "masks")

    @property
    def learns_samples(self) -> bool:
        """False for a classifier that learns from training pixels only, so that no generator can
        change its map.
        """
        return self.input not in ("location", "scene")

    @property
    def reads_scene(self) -> bool:
        """True for a classifier that gets raw spectra, whole patches and their positions."""
        return self.input in ("scene", "scene+samples")

    @property
    def reads_raw(self) -> bool:
        """True for a classifier that gets raw spectra under every spectral view: a control of every
        configuration reads none, and one that reads the scene transforms them itself.
        """
        return self.control_of == "all" or self.reads_scene

    @property
    def learns_synthetic_alone(self) -> bool:
        """True for a classifier that can learn from synthetic samples without real ones."""
        return self.learns_samples and not self.reads_raw

    @property
    def reads_patches(self) -> bool:
        """False for a classifier that gets one pixel, or none."""
        return self.input not in ("spectrum", "location")


class Plugin(Generic[Params]):
    """Base class of plugins, with their constructor.

    Attributes
    ----------
    card : Card
        The declaration, a class attribute of the subclass.
    params : dataclass
        An instance of ``card.params``.

    See Also
    --------
    Card : the declaration.
    NoParams : hyper-parameters of a plugin without any.

    Examples
    --------
    >>> from hsiaug.api import Card, NoParams, Plugin
    >>> class Copies(Plugin):
    ...     card = Card(name="copies", version="1", summary="Real patches again")
    >>> Copies(NoParams()).params
    NoParams()
    """

    card: ClassVar[Card]

    def __init__(self, params: Params) -> None:
        self.params = params

    def __repr__(self) -> str:
        """The name, and the parameters that are not at their defaults."""
        params = getattr(self, "params", None)
        if not dataclasses.is_dataclass(params) or isinstance(params, type):
            return f"<{type(self).card.name}>"
        changed = [
            f"{item.name}={getattr(params, item.name)!r}"
            for item in dataclasses.fields(params)
            if getattr(params, item.name) != item.default
        ]
        return f"<{', '.join([type(self).card.name, *changed])}>"


def check_made_of_params(plugin: Any) -> None:
    """Raise PluginError for a class that is not made of its params, as :class:`Plugin` is."""
    try:
        signature(plugin).bind(object())
    except (TypeError, ValueError):
        name = getattr(plugin, "__name__", repr(plugin))
        raise PluginError(
            f"the plugin {name} must be made of one argument, its params",
            value=f"{name}{_arguments(plugin)}",
            hint=f"Derive it from hsiaug.api.Plugin: class {name}(Plugin).",
        ) from None


FIT = {"generator": ("view",), "classifier": ("samples", "view")}
"""Arguments of ``fit`` by kind, before the keywords."""
FIT_KEYWORDS, FURTHER = ("seed", "device", "progress"), ("prepared", "checkpoint")
"""Keywords of every ``fit``, and those of plugins that prepare or resume."""


def check_contract(plugin: Any, kind: str) -> None:
    """Raise PluginError for a class whose ``fit`` cannot be called as this version calls it, as of
    a plugin that was written for an earlier contract.
    """
    name = getattr(plugin, "__name__", repr(plugin))
    fit = getattr(plugin, "fit", None)
    places = FIT[kind]
    try:
        asks = signature(fit)  # type: ignore[arg-type]
        further = [name for name in FURTHER if name in asks.parameters]
        asks.bind(object(), *places, **dict.fromkeys((*FIT_KEYWORDS, *further)))
    except (TypeError, ValueError):
        asked = ", ".join(("self", *places, "*", *FIT_KEYWORDS))
        raise PluginError(
            f"{name}.fit must be fit({asked})",
            value=f"fit{_arguments(fit)}" if callable(fit) else "no fit",
            hint="It is of another version of the contract: docs/develop/plugins.md has this one.",
        ) from None


def _arguments(plugin: Any) -> str:
    try:
        return str(signature(plugin))
    except (TypeError, ValueError):
        return ""


def defaults(**values: object) -> Callable[[Class], Class]:
    """Change defaults of inherited parameters; a decorator below ``@dataclass``.

    Parameters
    ----------
    **values : object
        The new defaults by name of the parameter.

    Returns
    -------
    callable
        The decorator of a params class.

    See Also
    --------
    param : defines a parameter.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from hsiaug.api import defaults, param
    >>> @dataclass(frozen=True)
    ... class Params:
    ...     steps: int = param(100, "steps of training", low=1)
    >>> @dataclass(frozen=True)
    ... @defaults(steps=20)
    ... class ShortParams(Params):
    ...     pass
    >>> ShortParams().steps
    20
    """

    def restate(params: Class) -> Class:
        for inherited in dataclasses.fields(params):
            if inherited.name in values:
                params.__annotations__[inherited.name] = inherited.type
                setattr(
                    params,
                    inherited.name,
                    field(default=values[inherited.name], metadata=inherited.metadata),
                )
        return params

    return restate


def check_preset(preset: str, cards: Iterable[Card]) -> None:
    """Raise InputError for a preset that is neither one of PRESETS nor declared by one of the
    cards.
    """
    # Cards are asked for last: those of other packages cost a process.
    if preset in PRESETS:
        return
    presets = {*PRESETS, *(declared for card in cards for declared in card.presets)}
    if preset not in presets:
        raise InputError(
            "`preset` must be one that a plugin has",
            value=repr(preset),
            hint=did_you_mean(preset, presets),
        )


def build_params(
    card: Card, preset: str = "cpu", overrides: Mapping[str, str] | None = None
) -> Any:
    """An instance of ``card.params``.

    Parameters
    ----------
    card : Card
        Of the plugin.
    preset : str
        Whose values replace the defaults; a plugin without it keeps its defaults.
    overrides : mapping of str to str or None
        Values as text, by the names of the params; they beat those of the preset.

    Returns
    -------
    dataclass
        The instance.

    Raises
    ------
    InputError
        For an unknown name, a value of the wrong type, one out of range, or values that
        ``card.params`` refuses.
    """
    fields = {f.name: f for f in dataclasses.fields(card.params)}
    stated = card.presets.get(preset, {})
    now = {f.metadata["formerly"]: name for name, f in fields.items() if f.metadata.get("formerly")}
    typed: dict[str, object] = {}
    for stated_name, text in (overrides or {}).items():
        name = now.get(stated_name, stated_name)
        if name != stated_name:
            warnings.warn(f"{card.name}.{stated_name} is now {name}", FutureWarning, stacklevel=2)
        if name not in fields:
            raise InputError(
                f"`{card.name}.{name}`: no such parameter",
                value=repr(name),
                hint=did_you_mean(name, fields),
            )
        if name == card.parameter_in_name:
            hint = f"Name the plugin {card.name.partition(':')[0]}:{text}."
            raise InputError(
                f"`{card.name}.{name}`: the plugin's name sets it already",
                value=repr(text),
                hint=hint,
            )
        typed[name] = _check(card, fields[name], text)
    try:
        for name, value in stated.items():
            if name not in typed and type(fields[name].default) in KINDS:
                _check(card, fields[name], value)
        # Values of a preset stay as they were written: 1 for 1.0 is another trial.
        return card.params(**{**stated, **typed})
    except HsiaugError:
        raise
    except Exception as error:
        raise InputError(
            f"{card.name} must be given parameters that it takes",
            value=f"{type(error).__name__}: {error}",
            hint=f"See 'hsiaug plugins info {card.name}'.",
        ) from error


def check_serves(card: Card, kind: str, task: str) -> None:
    """Raise InputError unless a plugin, a generator or a classifier as ``kind`` says, serves a
    task.
    """
    if not card.serves(task):
        rule = f"a {kind} of this benchmark must serve the task {task}"
        hint = (
            f"Choose another{''.join(f', or use `task={one}`' for one in card.tasks)}; see 'hsiaug"
            " plugins list'."
        )
        raise InputError(
            rule, value=f"{card.name}, which serves {', '.join(card.tasks) or 'none'}", hint=hint
        )


def _check(card: Card, item: dataclasses.Field[Any], value: object) -> object:
    """The value of a hyper-parameter, of the type of its default, as Python reads it.

    Raises InputError for a value of another type, and for one that :func:`param` rules out.
    """
    name, hint = f"`{card.name}.{item.name}`", f"The default is {item.default!r}."
    kind: Any = type(item.default)
    try:
        read: Any = READERS[kind](value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        rule = f"{name} must be {KINDS.get(kind, kind.__name__)}"
        raise InputError(rule, value=repr(value), hint=hint) from None
    choices, low, high = (item.metadata.get(key) for key in ("choices", "low", "high"))
    if choices and read not in choices:
        names = [str(choice) for choice in choices]
        raise InputError(
            f"{name} must be {' or '.join(names)}",
            value=repr(value),
            hint=did_you_mean(str(value), names),
        )
    if (low is not None and read < low) or (high is not None and read > high):
        bounds = f"[{'-∞' if low is None else low}, {'∞' if high is None else high}]"
        raise InputError(f"{name} must lie in {bounds}", value=repr(read), hint=hint)
    return read


def _whole(value: object) -> int:
    text = str(value)
    try:
        number = int(text)
    except ValueError:
        # 3.0 is a whole number too.
        number = int(float(text))
        if number != float(text):
            raise
    if abs(number) >= MOST:
        raise ValueError
    return number


def _finite(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError
    return number


def _text(value: Any) -> str:
    # Bytes that were no UTF-8 can be typed, but stand in no record.
    text: str = value.encode().decode()
    return text


READERS: Mapping[type, Callable[[Any], object]] = {
    int: _whole,
    float: _finite,
    bool: lambda value: SWITCHES[str(value).lower()],
    str: _text,
}
"""What gives the value of a hyper-parameter of a type; anything raised means that there is none."""
