"""Cards: what a plugin declares of itself. Nothing is guessed from a name."""

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from inspect import signature
from math import ceil, floor
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar

from hsiaug.base.errors import HsiaugError, InputError, PluginError, did_you_mean

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Scope = Literal["none", "scene"]
ControlOf = Literal["", "all", "transductive", "masks"]
Input = Literal["patch", "spectrum", "location", "scene", "scene+samples"]
Params = TypeVar("Params")
Class = TypeVar("Class", bound=type)

PRESETS = ("tiny", "cpu", "paper")
"""Presets that may be asked of any plugin; a card may declare further ones."""
MOST = 10**18
"""Whole numbers are below this."""
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
    """A hyper-parameter of a params dataclass.

    Parameters
    ----------
    default : bool, int, float or str
        Its value where the user sets none; its type is that of all values.
    help : str
        What it means, in one line.
    unit : str
        Unit of its values, or "".
    low, high : float or None
        Inclusive range; None = no bound.
    choices : sequence of object
        The only values it may have; empty = any.
    preparing : bool
        Of a generator with ``Card.prepares``: ``prepare`` depends on it, and sees the defaults of
        all others.
    sampling : bool
        Of a generator: ``fit`` does not depend on it. Trials that differ in nothing else share one
        fit, and ``load`` must take its value from the plugin's own params, not from what was saved:
        see :func:`resampled`.
    added : bool
        Of a parameter that a plugin got in a later version, and whose default changes nothing: at
        its default it is left out of a trial's identity, so that older records stay valid.
    formerly : str
        An earlier name, which users may still type for one version, with a warning.

    Returns
    -------
    dataclasses.Field
        The default of a field of the dataclass.

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
    """The params of a fit that is loaded: what is only read while sampling is that of the plugin.

    Parameters
    ----------
    saved : dataclass
        The params that the fit was saved with.
    current : dataclass
        The params of the plugin that loads it.

    Returns
    -------
    dataclass
        ``saved`` with the values of ``current`` where :func:`param` says ``sampling``.
    """
    values = {name: getattr(current, name) for name in sampling_params(current)}
    changed: Params = dataclasses.replace(saved, **values)  # type: ignore[type-var]
    return changed


ANY_TASK = "any"
"""Among the tasks of a card: also those of other packages."""


@dataclass(frozen=True)
class NoParams:
    """Parameters of plugins without hyper-parameters."""


@dataclass(frozen=True)
class Card:
    """Declaration of a plugin; the core reads every field.

    The fields come in groups: what the plugin is and does, as every card says it; then what
    generators, classifiers and controls say beside that.

    Attributes
    ----------
    name : str
        As users type it.
    version : str
        Raise it whenever results change; it enters the hash of a trial.
    summary : str
        One line.
    paper : str
        Source of the method, or "": its BibTeX entries, as ``hsiaug report --cite`` writes them,
        with words round them where these help ("After @article{...}"); BibTeX reads nothing outside
        entries.
    tasks : tuple of str
        Those it serves: "pixels" (classification of pixels by their patches), "segmentation" and
        "change" (masks of tiles of one date and of two), a task of another package by its name, or
        beside these ANY_TASK: all that there are.
    needs : tuple of str
        Modules beyond hsiaug's own dependencies; the plugin's extra.
    scope : {"none", "scene"}
        Unlabelled pixels it uses: none, or those of the whole scene (transductive; printed in every
        report).
    text : bool
        True where it reads class descriptions; a scene's own (its card's) then enter the hash of a
        trial.
    uses_device : bool
        True where it computes on the device that the user chose; else it runs on the CPU.
    seconds : float
        Rough seconds of one fit on Indian Pines under ``issd`` on one laptop core; used for
        estimates until the store has a record.
    params : type
        Frozen dataclass of hyper-parameters, made with :func:`param`.
    presets : mapping of str to mapping of str to object
        Other values by preset name, one of PRESETS or the plugin's own, as {"tiny": {"steps": 20}};
        the defaults are the "cpu" preset.
    variant : str or None
        The parameter that users set by typing ``NAME:VALUE`` for the plugin's name; None where
        there is none.
    adds : bool
        Of generators: False where it never makes a sample (λ then means nothing).
    guidance : float or None
        Of generators: default guidance strength ω of one conditioned on texts or classes, with ω =
        0 purely conditional; None where it takes no guidance.
    resumes : bool
        Of generators: True where ``fit`` also takes ``checkpoint``, a folder in which it may save
        how far it is; a fit that was killed finds there what it left, and must end as if it had not
        been.
    prepares : bool
        Of generators: True where what needs no label is learnt once a scene, or a set of training
        places, by ``prepare``, and handed to every ``fit``.
    prepare_version : str
        Of generators: the version of ``prepare``, where another one of the plugin leaves what it
        gives as it was; by default ``version``.
    prepare_seconds : float
        Of generators: rough seconds of ``prepare``, as ``seconds``.
    baseline : str
        Of generators: the name of one that is the same without its main part, or "". It is run
        unasked beside this one, and a report states what that part adds.
    input : {"patch", "spectrum", "location", "scene", "scene+samples"}
        Of classifiers: "patch", "spectrum" (the centre pixel only, p = 1), "location" (row and
        column, no band at all), "scene" (patches with row and column, always of raw spectra: one
        that reads the scene by itself) or "scene+samples" (the same, of one that learns from
        samples too). "location" and "scene" learn from training pixels alone and are run without
        samples only.
    control_of : {"", "all", "transductive", "masks"}
        Which generators are measured against this plugin, in the tasks that it serves: "all",
        "transductive" ones (their scope is "scene"), or those of "masks"; "" = none. It is run
        unasked beside these, and a generator helps only above all of its controls. Its ``Entry``
        says ``control=True``. A classifier that is a control of "all" is run without spectral
        transforms, and on no synthetic samples; one of "transductive" ones without samples; one of
        "masks" only where it is asked for.
    control_text : str
        Of a control: what it is, in a few words. Where it is the rival of an arm, they stand
        behind its name in the answers of reports, as "scaled (real patches under another
        brightness)". Of a control of "transductive" generators they also end the sentence "… helps
        only above …" of a plan. Records keep them.
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
        """The parameter whose value stands behind the colon of the name; None without a colon."""
        return self.variant if ":" in self.name else None

    @property
    def always_runs(self) -> bool:
        """True for a control that runs in every benchmark of its tasks."""
        return self.control_of in ("all", "masks")

    @property
    def learns_samples(self) -> bool:
        """False for a classifier that learns from training pixels alone, so that no generator can
        change its map.
        """
        return self.input not in ("location", "scene")

    @property
    def reads_scene(self) -> bool:
        """True for a classifier that is given raw spectra, whole patches, and where they lie."""
        return self.input in ("scene", "scene+samples")

    @property
    def reads_raw(self) -> bool:
        """True for a classifier that is given raw spectra, whatever spectral view is asked for: one
        that is a control of every arm reads none, one that reads the scene transforms them itself.
        """
        return self.control_of == "all" or self.reads_scene

    @property
    def learns_synthetic_alone(self) -> bool:
        """True for a classifier that can learn from synthetic samples without real ones."""
        return self.learns_samples and not self.reads_raw

    @property
    def reads_patches(self) -> bool:
        """False for a classifier that is given one pixel, or none."""
        return self.input not in ("spectrum", "location")


class Plugin(Generic[Params]):
    """Base class of plugins, which spares them a constructor.

    Attributes
    ----------
    card : Card
        The declaration, which a subclass brings.
    params : dataclass
        An instance of ``card.params``: what the plugin is made of.
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
    """Other defaults for params that a params class inherits; stands below its ``@dataclass``.

    Parameters
    ----------
    **values : object
        The new defaults by the names of the params.

    Returns
    -------
    callable
        The decorator of a params class.

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
        typed[name] = _check(card, fields[name], _form(fields[name]).validate_strings, text)
    try:
        for name, value in stated.items():
            if name not in typed and type(fields[name].default) in KINDS:
                _check(card, fields[name], _form(fields[name]).validate_python, value)
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


def _check(
    card: Card, item: dataclasses.Field[Any], check: Callable[[Any], Any], value: Any
) -> Any:
    """A value of a hyper-parameter after a check of its :func:`_form`.

    Raises InputError for a value of another type, and for one that :func:`param` rules out.
    """
    from pydantic import ValidationError

    try:
        return check(value)
    except ValidationError as error:
        (fault, *_) = error.errors()
    name, hint = f"`{card.name}.{item.name}`", f"The default is {item.default!r}."
    kind: Any = type(item.default)
    if fault["type"] == "choice":
        names = [str(choice) for choice in item.metadata["choices"]]
        rule, hint = f"{name} must be {' or '.join(names)}", did_you_mean(str(value), names)
    elif fault["type"] in ("greater_than_equal", "less_than_equal"):
        low, high = item.metadata["low"], item.metadata["high"]
        bounds = f"[{'-∞' if low is None else low}, {'∞' if high is None else high}]"
        rule, value = f"{name} must lie in {bounds}", kind(float(value))
    else:
        rule = f"{name} must be {KINDS.get(kind, kind.__name__)}"
    raise InputError(rule, value=repr(value), hint=hint)


def _read_float(value: object) -> object:
    """A text as Python reads it: pydantic reads ``8_.`` too, and no ``8_0`` beside a space."""
    return float(value) if isinstance(value, str) and value.isascii() else value


def _refuse_no_number(value: object) -> object:
    """The value; ValueError for a text that Python reads as no number, as ``0-3``, which pydantic
    takes for -3.
    """
    _read_float(value)
    return value


@cache
def _form(item: dataclasses.Field[Any]) -> "TypeAdapter[Any]":
    """What values of a hyper-parameter must be: of the type of its default, and as :func:`param`
    says.
    """
    # Runs that set no parameter load no pydantic for this.
    from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, TypeAdapter
    from pydantic_core import PydanticCustomError

    choices = item.metadata.get("choices")

    def choose(value: object) -> object:
        if choices and value not in choices:
            raise PydanticCustomError("choice", "none of the choices")
        return value

    kind: Any = type(item.default)
    form: Any = kind if kind in KINDS else InstanceOf[kind]  # type: ignore[misc]
    rules: list[Any] = [AfterValidator(choose)]
    low, high = item.metadata.get("low"), item.metadata.get("high")
    if kind is int:
        least, most = (None if low is None else ceil(low)), (None if high is None else floor(high))
        rules.append(Field(ge=least, le=most, gt=-MOST, lt=MOST))
        rules.append(BeforeValidator(_refuse_no_number))
    elif kind is float:
        rules.append(Field(ge=low, le=high, allow_inf_nan=False))
        rules.append(BeforeValidator(_read_float))
    elif kind is str:
        # Bytes that were no UTF-8 can be typed, but stand in no record.
        rules.append(AfterValidator(lambda text: text.encode().decode()))
    for rule in rules:
        form = Annotated[form, rule]
    return TypeAdapter(form)
