"""Protocols from their text, and their splits, checked."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np

from hsiaug.base.errors import HsiaugError, InputError, PluginError, check_known, shortage_of
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import own_registry, registry
from hsiaug.registry.protocol_base import Areas, Buffer, Draw, SplitProtocol

Result = TypeVar("Result")

LONGEST_NOTES = 10_000
"""Characters of the notes of a split, which every record of it holds."""

KEPT_FOR_TEST = 3
"""Test pixels that a split should leave a class."""


def parse_protocol(text: str, buffer: str | None = None, folder: Path = Path()) -> SplitProtocol:
    """Make a protocol from its text.

    Parameters
    ----------
    text : str
        As users type it, for example ``issd``, ``kshot:10``, ``random:0.05`` or
        ``fixed:masks.mat``.
    buffer : {"none", "centre", "patch"} or None
        Instead of the protocol's own.
    folder : Path
        Paths in the text are relative to it.

    Returns
    -------
    SplitProtocol
        The protocol with its argument and buffer.

    Raises
    ------
    InputError
        If the name, the argument or the buffer is not valid.
    PluginError
        If the plugin is faulty.

    See Also
    --------
    draw_train : makes a split.

    Examples
    --------
    >>> from hsiaug.api import parse_protocol
    >>> parse_protocol("kshot:10").buffer
    'centre'
    """
    name, _, argument = text.strip().partition(":")
    kind = protocol_class(name)
    if buffer is not None:
        check_known("`buffer` must be none, centre or patch", buffer, get_args(Buffer))
    chosen: Buffer = buffer or kind.usual_buffer  # type: ignore[assignment]
    protocol = run_guarded(name, "read its argument", lambda: kind.parse(argument, chosen, folder))
    run_guarded(name, "state its identity", lambda: _check_named(protocol, kind.card.name))
    return protocol


def _check_named(protocol: SplitProtocol, name: str) -> None:
    """Raise PluginError for one whose trials would have the hashes, or stand in the rows, of
    another protocol.
    """
    texts = (protocol.canonical, protocol.text, protocol.short)
    names = {protocol.as_json().get("name"), *(text.partition(":")[0] for text in texts)}
    if names != {name}:
        raise PluginError(
            f"protocol {name} must state its own name, in its texts and its identity",
            value=f"{names!r:.200}",
            hint="Leave name, canonical, text, short and as_json.",
        )


def parse_base(kind: type[SplitProtocol], text: str, folder: Path) -> SplitProtocol:
    """Make the protocol that another one is built on.

    Parameters
    ----------
    kind : type of SplitProtocol
        The protocol that is built on it.
    text : str
        The base as typed.
    folder : Path
        Paths in the text are relative to it.

    Returns
    -------
    SplitProtocol
        The base.

    Raises
    ------
    InputError
        If the base is built on another one, or is not a protocol of single pixels.

    See Also
    --------
    Based : base class of such protocols.
    parse_protocol : makes any protocol.
    """
    # Before it is parsed, which would go as deep as the text does.
    base = protocol_class(text.strip().partition(":")[0])
    nested = base is kind or (base.nests_in is not None and kind.card.name not in base.nests_in)
    if nested or not set(base.card.tasks) & set(kind.card.tasks):
        raise InputError(
            f"protocol {kind.card.name} needs a protocol of single pixels that is not nested",
            value=repr(text),
            hint=f"Write {kind.usage}.",
        )
    return parse_protocol(text, folder=folder)


def protocol_class(name: str) -> type[SplitProtocol]:
    """The class of a protocol. Raises InputError for an unknown name, PluginError for one that
    cannot be loaded.

    Those of hsiaug are found without a question to other packages, none of which can slow or break
    them.
    """
    entry = own_registry().plugins.get(("protocol", name)) or registry().find("protocol", name)
    kind = entry.load()
    if not (isinstance(kind, type) and issubclass(kind, SplitProtocol)):
        raise PluginError(
            (
                f"protocol {name} of {entry.distribution} must be a subclass of"
                " hsiaug.api.SplitProtocol"
            ),
            value=repr(kind),
            hint="Derive its class from it.",
        )
    return kind


def run_guarded(name: str, what: str, compute: Callable[[], Result]) -> Result:
    """Return ``compute()``; an exception that the protocol raised becomes a PluginError that names
    it.
    """
    try:
        return compute()
    except (HsiaugError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if shortage_of(error) is not None:
            raise
        # SystemExit too: it would end the whole command in silence.
        raise PluginError(
            f"protocol {name} could not {what}",
            value=f"{type(error).__name__}: {error}",
            hint="Repair or uninstall its package; 'hsiaug plugins check' says what it must keep.",
        ) from error


def draw_train(scene: Scene, protocol: SplitProtocol, patch: int, seed: int) -> Draw:
    """Choose the training pixels of a split, with the buffer of the protocol.

    Parameters
    ----------
    scene : Scene
        The scene whose labels are divided.
    protocol : SplitProtocol
        A protocol of single pixels.
    patch : int
        Odd side of the patches in pixels, which sets the width of the buffer.
    seed : int
        Number of the split.

    Returns
    -------
    Draw
        The training pixels, and those to leave out.

    Raises
    ------
    PluginError
        If the protocol breaks its contract.

    See Also
    --------
    parse_protocol : makes a protocol from its text.
    draw_tiles : the same for masks.

    Examples
    --------
    >>> import hsiaug
    >>> from hsiaug.api import draw_train, parse_protocol
    >>> made = draw_train(hsiaug.load_scene("toy"), parse_protocol("kshot:5"), 9, 0)
    >>> int(made.train.sum())
    25
    """
    draw = run_guarded(
        protocol.name, f"draw on {scene.name}", lambda: protocol.draw(scene, seed, patch)
    )
    masks = [
        mask for name in ("hidden", "asked") if (mask := getattr(draw, name, None)) is not None
    ]
    _check(
        protocol,
        draw,
        Draw,
        lambda: [draw.train, draw.dropped, *masks],
        [scene.shape] * (2 + len(masks)),
    )
    if (
        not all(isinstance(note, str) for note in draw.notes)
        or sum(map(len, draw.notes)) > LONGEST_NOTES
    ):
        raise PluginError(
            f"protocol {protocol.name} must note sentences of {LONGEST_NOTES:,} characters at most",
            value=f"{draw.notes!r:.200}",
            hint="Use str.",
        )
    labels = draw.labels
    if labels is not None and (
        _describe(labels) != f"int16 {scene.shape}"
        or labels.min() < 0
        or labels.max() > len(scene.class_names)
    ):
        raise PluginError(
            f"protocol {protocol.name} must draw labels of the scene's shape and classes, or none",
            value=_describe(labels),
            hint="Return int16, with 0 where there is no label.",
        )
    return draw


def draw_areas(pairs: PairSet, protocol: SplitProtocol, patch: int, seed: int) -> Areas:
    """The areas of training and of test of split ``seed``, for tiles of side ``patch``."""
    areas = run_guarded(
        protocol.name, f"draw on {pairs.name}", lambda: protocol.draw_tiles(pairs, seed, patch)
    )
    shapes = [place.mask.shape for place in pairs.places]
    _check(protocol, areas, Areas, lambda: areas.train, shapes)
    _check(protocol, areas, Areas, lambda: areas.test, shapes)
    return areas


def _check(
    protocol: SplitProtocol,
    drawn: object,
    kind: type,
    masks: Callable[[], Sequence[object]],
    shapes: Sequence[tuple[int, ...]],
) -> None:
    """Raise PluginError unless the split, of a package's own protocol perhaps, is of its kind with
    bool masks.
    """
    if isinstance(drawn, kind):
        drawn_masks = list(masks())
        # Of tens of thousands of places, perhaps: described are only those of an error.
        if len(drawn_masks) == len(shapes) and all(map(_is_mask, drawn_masks, shapes)):
            return
        descriptions = [_describe(mask) for mask in drawn_masks]
    else:
        descriptions = [type(drawn).__name__]
    raise PluginError(
        (
            f"protocol {protocol.name} must draw {kind.__name__} with boolean masks of the labels'"
            " shapes"
        ),
        value=", ".join(descriptions),
        hint="Return masks of dtype bool, one for each map of labels and side.",
    )


def _is_mask(mask: object, shape: tuple[int, ...]) -> bool:
    return isinstance(mask, np.ndarray) and mask.dtype == bool and mask.shape == tuple(shape)


def _describe(mask: object) -> str:
    return f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
