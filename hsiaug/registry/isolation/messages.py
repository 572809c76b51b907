"""What a process that imports third-party plugins answers: JSON of these types, nothing beyond
their fields, each of its very type.
"""

import base64
import dataclasses
import json
import traceback
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from hsiaug.base import errors
from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Entry
from hsiaug.registry.protocol_base import Buffer, SplitProtocol

AnyMessage = TypeVar("AnyMessage", bound="Message")


class Message(BaseModel):
    """The base of all, and an answer without a content. Numbers are finite, as in records.

    Attributes
    ----------
    contract : str
        What a plugin must do so that its answer is valid.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: ClassVar[str] = "have a valid card"

    @classmethod
    def stated(cls, source: object) -> dict[str, Any]:
        """The fields of this message as an object has them, not yet checked."""
        return {name: getattr(source, name) for name in cls.model_fields}


class Entries(Message):
    """The plugins of an entry point, or why there are none."""

    entries: list[Entry]
    error: str


Bound = Annotated[float, Field(allow_inf_nan=True)] | None


class ParamFields(Message):
    """A hyper-parameter, as :func:`hsiaug.registry.card.param` declares it."""

    name: str = Field(pattern=r"^[A-Za-z_]\w*$")
    default: bool | int | float | str | None
    help: str
    unit: str
    low: Bound
    high: Bound
    choices: tuple[Any, ...]
    preparing: bool
    sampling: bool
    added: bool = False


def message_like(name: str, source: type, without: Collection[str] = ()) -> Any:
    """A message with the fields of a dataclass.

    Parameters
    ----------
    name : str
        Of the message.
    source : type
        The dataclass; all its fields must be stated.
    without : collection of str
        Fields that the message lacks.
    """
    fields: dict[str, Any] = {
        field: (hint, ...) for field, hint in get_type_hints(source).items() if field not in without
    }
    return create_model(name, __base__=Message, **fields)


CardFields: Any = message_like("CardFields", Card, without=["params"])
"""All fields of a :class:`hsiaug.registry.card.Card` but its params."""
_protocol_fields: dict[str, Any] = {
    name: (get_args(hint)[0], ...)
    for name, hint in get_type_hints(SplitProtocol).items()
    if get_origin(hint) is ClassVar and name != "card"
}
ProtocolFields: Any = create_model("ProtocolFields", __base__=Message, **_protocol_fields)
"""What the class of a protocol declares beside its card."""


class PluginMetadata(Message):
    """A plugin.

    Attributes
    ----------
    protocol : ProtocolFields or None
        None also where its class is none of SplitProtocol.
    """

    card: CardFields
    params: tuple[ParamFields, ...]
    protocol: ProtocolFields | None

    @classmethod
    def stated(cls, source: Any) -> dict[str, Any]:
        """The metadata of a class."""
        params = [
            {"name": item.name, "default": item.default, **item.metadata}
            for item in dataclasses.fields(source.card.params)
        ]
        is_protocol = isinstance(source, type) and issubclass(source, SplitProtocol)
        protocol = ProtocolFields.stated(source) if is_protocol else None
        return {"card": CardFields.stated(source.card), "params": params, "protocol": protocol}


class ProtocolTexts(Message):
    """A protocol that was read from its text."""

    contract: ClassVar[str] = "say what its protocol is"

    argument: str
    buffer: Buffer
    canonical: str
    text: str
    short: str
    reads_spectra: bool
    identity: dict[str, str]

    @classmethod
    def stated(cls, source: Any) -> dict[str, Any]:
        """The texts of a protocol."""
        names = cls.model_fields.keys() - {"identity"}
        return {**{name: getattr(source, name) for name in names}, "identity": source.as_json()}


class Radius(Message):
    """The distance from training pixels within which no test pixel lies."""

    contract: ClassVar[str] = "state its buffer in whole pixels"

    pixels: int


class ArrayForm(Message):
    """An array as JSON has it.

    Attributes
    ----------
    data : str
        Its bytes in base 64.
    """

    dtype: Literal["bool", "int16"]
    shape: tuple[int, ...]
    data: str

    def array(self) -> NDArray[Any]:
        """The array. Raises ValueError where shape and data do not fit."""
        return np.frombuffer(base64.b64decode(self.data), self.dtype).reshape(self.shape)


Mask = Annotated[ArrayForm, AfterValidator(ArrayForm.array)]


class DrawMasks(Message):
    """A :class:`hsiaug.registry.protocol_base.Draw`."""

    contract: ClassVar[str] = "draw masks"

    train: Mask
    dropped: Mask
    notes: tuple[str, ...]
    hidden: Mask | None
    labels: Mask | None
    asked: Mask | None


class AreaMasks(Message):
    """:class:`hsiaug.registry.protocol_base.Areas`."""

    contract: ClassVar[str] = "draw masks"

    train: tuple[Mask, ...]
    test: tuple[Mask, ...]
    tiles: int | None
    overlap: float | None


class Failure(Message):
    """An error in place of an answer.

    Attributes
    ----------
    failure : str
        The class, where it is one of hsiaug's; else "".
    """

    failure: Literal[
        "",
        "InputError",
        "SceneError",
        "SplitError",
        "DataUnavailableError",
        "PluginError",
        "StoreError",
    ]
    rule: str
    value: str | None
    hint: str

    @classmethod
    def stated(cls, source: Any) -> dict[str, Any]:
        """An exception, whatever it is."""
        if isinstance(source, HsiaugError):
            kind, rule, hint = type(source).__name__, source.rule, source.hint
            value = None if source.value is None else str(source.value)
        else:
            kind, rule, value, hint = "", "", type(source).__name__, ""
            # Its text may raise anything.
            with suppress(Exception):
                value = traceback.format_exception_only(source)[-1].strip()
        return {"failure": kind, "rule": rule, "value": value, "hint": hint}

    def error(self, package: str) -> HsiaugError:
        """The exception, as this process raises it."""
        if self.failure:
            kind: type[HsiaugError] = getattr(errors, self.failure)
            return kind(self.rule, value=self.value, hint=self.hint)
        return PluginError(
            f"the package {package} must answer without an exception",
            value=self.value,
            hint="Repair or uninstall it; all other plugins still work.",
        )


def as_json(answer: object) -> bytes:
    """An answer as it is sent."""
    return json.dumps(answer, default=_json_form).encode()


def _json_form(value: Any) -> object:
    if isinstance(value, np.ndarray):
        data = base64.b64encode(value.tobytes()).decode()
        return {"dtype": str(value.dtype), "shape": value.shape, "data": data}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def read_answer(model: type[AnyMessage], answer: bytes, package: str) -> AnyMessage:
    """An answer of the process of a package.

    Raises
    ------
    HsiaugError
        The failure, where one was sent in its place.
    PluginError
        Where it is no such message.
    """
    try:
        return model.model_validate_json(answer)
    except ValidationError as error:
        with suppress(ValidationError):
            raise Failure.model_validate_json(answer).error(package) from None
        first = error.errors(include_url=False)[0]
        raise PluginError(
            f"a plugin of {package} must {model.contract}",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint="Repair or uninstall that package; all other plugins still work.",
        ) from error
