"""The request of a benchmark: what a user may ask for, from whichever door.

One model serves the command line, :func:`hsiaug.benchmark` and suites. It reads what is typed at
each of them: ``"0.5,1"``, ``"0:1:0.25"``, ``0.5`` or ``[0.5, 1]`` are numbers everywhere. What it
leaves open, :mod:`hsiaug.bench.plan` takes from the settings of its task.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, cast

import numpy as np
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from hsiaug.base.arguments import one_or_more, shown_value
from hsiaug.base.errors import InputError, check_known
from hsiaug.bench import defaults
from hsiaug.bench.ranges import DIGITS, MAX_NUMBERS, numbers, seeds, settings, words
from hsiaug.protocol.balance import check_lambda, check_omega, check_times
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.task import USUAL, Task, get_task, task_of
from hsiaug.trial.arm import BOTH, SYNTHETIC

Value = TypeVar("Value")

REAL = "real"
TRAIN = (BOTH, SYNTHETIC, REAL)
"""What a classifier may learn from."""
NAMES_IN_ERRORS = {"view": "views"}
"""Fields by the names that errors give them."""


def _reader(read: Callable[[Any, str], Value]) -> Callable[[Any, ValidationInfo], Value]:
    """A validator of a reader of (value, name of the field); pydantic takes ValueErrors alone."""

    def validate(value: Any, info: ValidationInfo) -> Value:
        try:
            return read(value, info.field_name or "")
        except InputError as error:
            raise ValueError(str(error)) from error

    return validate


def as_items(value: Any) -> tuple[Any, ...]:
    """One value, or several, as a tuple of them. Numbers of numpy become those of Python."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    items = one_or_more(value, MAX_NUMBERS)
    return tuple(item.item() if isinstance(item, np.generic) else item for item in items)


def _names(value: Any, field: str) -> tuple[Any, ...]:
    """Names between commas, or a list of names."""
    items = _any_names(value, field)
    if not items and value != "":
        raise InputError(
            f"`{field}` must be a name, or a list of names that is not empty",
            value="an empty list",
            hint=f"Leave out `{field}` for its default.",
        )
    return items


def _any_names(value: Any, field: str) -> tuple[Any, ...]:
    """The same, or none."""
    return tuple(words(value)) if isinstance(value, str) else as_items(value)


def _numbers(value: Any, field: str) -> tuple[Any, ...]:
    """Numbers and ranges, in a text or as a list."""
    listed = [
        numbers(f"`{field}`", item) if isinstance(item, str) else [item] for item in as_items(value)
    ]
    return tuple(number for part in listed for number in part)


def _seeds(value: Any, field: str) -> tuple[Any, ...]:
    """5 or "5" for seeds 0 to 4, "100-109" or "3,5,8-9", or a list of seeds."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int | str) and not isinstance(value, bool):
        return tuple(seeds(str(value)))
    return as_items(value)


def _whole(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _text(value: object) -> str:
    """A parameter's value as the text that ``--set`` takes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str):
        raise ValueError(
            f"the value of a parameter must be a number, a text, true or false; found {value!r}"
        )
    return value


def _settings(value: Any, field: str) -> Any:
    """{plugin: {parameter: value}}, or a list of PLUGIN.PARAMETER=VALUE."""
    return value if isinstance(value, Mapping) else settings(as_items(value))


def _protocol(value: Any, info: ValidationInfo) -> Any:
    """A protocol, or its text."""

    def read(value: Any, field: str) -> Any:
        if value is None or isinstance(value, SplitProtocol):
            return value
        if not isinstance(value, str):
            hint = f"Write `{field}` issd or kshot:10, for example."
            raise InputError(f"`{field}` must be a text", value=shown_value(value), hint=hint)
        return parse_protocol(value, info.data.get("buffer"))

    return _reader(read)(value, info)


def _all(check: Callable[[Any], object]) -> Callable[[Any, ValidationInfo], Any]:
    """A validator that checks every value of a field."""

    def read(values: Any, field: str) -> Any:
        for value in values:
            check(value)
        return values

    return _reader(read)


def _check_lambda(lam: float) -> None:
    check_lambda(lam, "lambdas")


def _usual_train(value: Any) -> Any:
    """No text stands for the default, as of other names."""
    return defaults.TRAIN if value == "" else value


def _check_train(train: str) -> None:
    check_known("`train` must be both, synthetic or real", train, TRAIN)


Names = Annotated[tuple[str, ...], BeforeValidator(_reader(_names)), Field(max_length=MAX_NUMBERS)]
AnyNames = Annotated[
    tuple[str, ...], BeforeValidator(_reader(_any_names)), Field(max_length=MAX_NUMBERS)
]
Numbers = Annotated[
    tuple[float, ...], BeforeValidator(_reader(_numbers)), Field(max_length=MAX_NUMBERS)
]
Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=10**DIGITS)], ...],
    BeforeValidator(_reader(_seeds)),
    Field(min_length=1, max_length=MAX_NUMBERS),
]
Settings = Annotated[
    dict[str, dict[str, Annotated[str, BeforeValidator(_text)]]],
    BeforeValidator(_reader(_settings)),
]


class RequestKeys(BaseModel):
    """What one benchmark and a run of a suite are both asked for; both names of a field are read.

    Attributes
    ----------
    generators, classifiers, views, omegas, times : Names or AnyNames or Numbers
        Empty = the usual ones of the task, or of each generator.
    lambdas, times : Numbers
        λ and M.
    train : Names
        Of TRAIN, what classifiers learn from; real is what ``none`` is.
    seeds : Seeds
        Of the splits.
    buffer : str or None
        Buffer of the protocol; None = its own.
    patch : int or None
        Side in pixels; None = the usual one.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
    )

    generators: Names = Field(default=(), validation_alias=AliasChoices("generators", "generator"))
    classifiers: Names = Field(
        default=(), validation_alias=AliasChoices("classifiers", "classifier")
    )
    views: AnyNames = Field(default=(), validation_alias=AliasChoices("view", "views"))
    lambdas: Annotated[Numbers, Field(min_length=1), AfterValidator(_all(_check_lambda))] = (
        defaults.LAMBDAS
    )
    omegas: Annotated[Numbers, AfterValidator(_all(check_omega))] = Field(
        default=(), validation_alias=AliasChoices("omegas", "omega")
    )
    times: Annotated[Numbers, AfterValidator(_all(check_times))] = ()
    train: Annotated[Names, BeforeValidator(_usual_train), AfterValidator(_all(_check_train))] = (
        defaults.TRAIN
    )
    seeds: Seeds = tuple(range(defaults.DRAWS))
    buffer: str | None = None
    patch: Annotated[int | None, BeforeValidator(_whole)] = None
    preset: str = defaults.PRESET


class Request(RequestKeys):
    """One benchmark of one scene. Made by :func:`read_request`, which says what is wrong.

    Attributes
    ----------
    protocol : SplitProtocol or None
        Or its text; None = the usual one.
    overrides : Settings
        {plugin: {parameter: text}}.
    """

    task: str = USUAL
    protocol: Annotated[SplitProtocol | None, BeforeValidator(_protocol)] = None
    overrides: Settings = Field(
        default_factory=dict, validation_alias=AliasChoices("overrides", "set_")
    )

    @property
    def kind(self) -> Task:
        """The task of that name. Raises InputError where there is none."""
        return get_task(self.task)


FIELD_NAMES = frozenset(
    name
    for field, about in Request.model_fields.items()
    for name in (field, *getattr(about.validation_alias, "choices", ()))
)
"""Both names of each field."""


class CompleteRequest(Request):
    """A request that leaves nothing open but ω, of which each generator has a default."""

    protocol: SplitProtocol
    patch: int


def request_of_options(scene: str, options: Mapping[str, object], **changed: object) -> Request:
    """The request that the options of a command ask for.

    Parameters
    ----------
    scene : str
        A scene, or a set of pairs, whose card says its task.
    options : mapping of str to object
        Values by parameter. Those that are no field of a request, and those that were left out
        (None), are not read.
    changed : object
        Values that stand in place of those of options.

    Raises
    ------
    InputError
        For what is not valid, and where another task is asked for than the card's.
    """
    values = {**{name: options[name] for name in options if name in FIELD_NAMES}, **changed}
    stated = {name: value for name, value in values.items() if value is not None}
    return read_request(
        **{**stated, "task": task_of(scene, cast("str | None", values.get("task")))}
    )


def read_request(**typed: object) -> Request:
    """The request that these values, by field, ask for. Raises InputError for what is not valid."""
    try:
        return Request(**typed)  # type: ignore[arg-type]  # the model reads what is typed
    except ValidationError as cause:
        raise _explain(cause) from cause


def _explain(cause: ValidationError) -> InputError:
    """The first fault as rule, value and hint."""
    fault = cause.errors(include_url=False)[0]
    error = getattr(fault.get("ctx", {}).get("error"), "__cause__", None)
    if isinstance(error, InputError):
        return error
    field = str(fault["loc"][0]) if fault["loc"] else ""
    name = f"`{NAMES_IN_ERRORS.get(field, field)}`"
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "too_short":
        rule = f"{name} must be one value, or a list that is not empty"
    elif message.startswith("Input should be "):
        rule = f"{name} must be {message.removeprefix('Input should be ')}"
    else:
        rule = f"{name} must be valid ({message})"
    return InputError(rule, value=shown_value(fault["input"]), hint=f"Correct {name}.")
