"""What the process of a package says of its plugins, as it is sent and checked: nothing beyond
these fields, each of its very type.
"""

import dataclasses
import json
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Entry
from hsiaug.registry.split_protocol import Buffer, SplitProtocol

Facts = TypeVar("Facts", bound=BaseModel)


class FactsModel(BaseModel):
    """The base of all: numbers are finite, as in records."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class EntriesFacts(FactsModel):
    """The plugins of an entry point, or why there are none."""

    entries: list[Entry]
    error: str


Bound = Annotated[float, Field(allow_inf_nan=True)] | None


class ParamFacts(FactsModel):
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


_card_fields: dict[str, Any] = {
    name: (hint, ...) for name, hint in get_type_hints(Card).items() if name != "params"
}
CardFacts: Any = create_model("CardFacts", __base__=FactsModel, **_card_fields)
"""All fields of a :class:`hsiaug.registry.card.Card` but its params."""


class ProtocolFacts(FactsModel):
    """What the class of a protocol declares, as
    :class:`hsiaug.registry.split_protocol.SplitProtocol`.
    """

    takes: Literal["nothing", "number", "ratio"]
    usual_argument: str | None
    usage: str
    example: str
    usual_buffer: Literal["none", "centre", "patch"]
    leaky: bool
    nests_in: tuple[str, ...] | None


class PluginFacts(FactsModel):
    """A plugin.

    Attributes
    ----------
    protocol : ProtocolFacts or None
        None also where its class is none of SplitProtocol.
    """

    card: CardFacts
    params: tuple[ParamFacts, ...]
    protocol: ProtocolFacts | None


class ProtocolText(FactsModel):
    """A protocol that was read from its text."""

    argument: str
    buffer: Buffer
    canonical: str
    text: str
    short: str
    reads_spectra: bool
    identity: dict[str, str]


class DrawFacts(FactsModel):
    """What a draw says beside its masks, as :class:`hsiaug.registry.split_protocol.Draw` and
    :class:`hsiaug.registry.split_protocol.Areas`.
    """

    notes: tuple[str, ...] = ()
    tiles: int | None = None
    overlap: float | None = None


class Failure(FactsModel):
    """An error in place of an answer.

    Attributes
    ----------
    kind : str
        The class, where it is one of hsiaug's; else "".
    """

    kind: Literal[
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


def checked(model: type[Facts], facts: object, package: str) -> Facts:
    """The facts that a package states, as this model. Raises PluginError where they do not fit."""
    try:
        # In JSON's way: a list is a tuple, and nothing else is converted.
        return model.model_validate_json(json.dumps(facts))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise PluginError(
            f"a plugin of {package} must have a valid card",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint="Repair or uninstall that package; all other plugins still work.",
        ) from error


def plugin_facts(plugin: Any) -> dict[str, Any]:
    """The PluginFacts of a class. Raises ValidationError where its card does not fit them."""
    card: Card = plugin.card
    card_facts = {name: getattr(card, name) for name in CardFacts.model_fields}
    card_facts["presets"] = {preset: dict(values) for preset, values in card.presets.items()}
    params = tuple(
        {"name": item.name, "default": item.default, **item.metadata}
        for item in dataclasses.fields(card.params)
    )
    protocol = None
    if isinstance(plugin, type) and issubclass(plugin, SplitProtocol):
        protocol = {name: getattr(plugin, name) for name in ProtocolFacts.model_fields}
    facts = {"card": card_facts, "params": params, "protocol": protocol}
    return PluginFacts.model_validate(facts).model_dump()


def protocol_text(protocol: SplitProtocol) -> dict[str, Any]:
    """The ProtocolText of a protocol. Raises ValidationError where it is not one."""
    names = [name for name in ProtocolText.model_fields if name != "identity"]
    stated = {name: getattr(protocol, name) for name in names}
    return ProtocolText(**stated, identity=protocol.as_json()).model_dump()
