"""Sentences on classes in a user's own file, in TOML."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping

from hsiaug.api import InputError, did_you_mean, user_path
from hsiaug_builtin.named_files import DIGITS, check_stated, name_and_checksum

PREFIX = "file:"
"""What a mode of prompts that names a file begins with."""
MAX_PROMPT_FILE_BYTES = 2**20
"""Bytes of a file at most."""

Sentences = Mapping[str, tuple[str, ...]]
"""Sentences of a file by the name of their class."""


def with_checksum(mode: str) -> str:
    """``file:PROMPTS.toml`` with the checksum of its sentences, so that other sentences are other
    prompts: ``file:PROMPTS.toml#1f2e…``.

    Raises
    ------
    InputError
        For a file that cannot be read, or holds other sentences than the checksum says.
    """
    name, sentences = _read_checked(mode)
    return f"{PREFIX}{name}#{_checksum(sentences)}"


def sentences_of_file(mode: str, class_names: Iterable[str]) -> Sentences:
    """The sentences in a file; a class that it leaves out has none.

    Parameters
    ----------
    mode : str
        ``file:PROMPTS.toml``, with a checksum or without.
    class_names : iterable of str
        Names of the scene's classes.

    Raises
    ------
    InputError
        As :func:`with_checksum`, and for a class that the scene does not have.
    """
    name, sentences = _read_checked(mode)
    of_scene = list(class_names)
    for class_name in sentences:
        if class_name not in of_scene:
            raise InputError(
                f"{name} must name classes of the scene",
                value=repr(class_name),
                hint=did_you_mean(class_name, of_scene),
            )
    return sentences


def _read_checked(mode: str) -> tuple[str, Sentences]:
    """The name of the file and its sentences, which are those of the checksum where one is
    stated.
    """
    name, stated = name_and_checksum(mode.removeprefix(PREFIX))
    sentences = _read(name)
    check_stated(name, stated, _checksum(sentences), "sentences", PREFIX)
    return name, sentences


def _checksum(sentences: Sentences) -> str:
    text = json.dumps(dict(sentences), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _read(name: str) -> Sentences:
    path = user_path(name)
    hint = 'Write it as \'"Corn-notill" = ["rows of corn over old residue"]\', a line a class.'
    rule = f"{PREFIX}{name} must be a TOML file of sentences for each class"
    try:
        if path.stat().st_size > MAX_PROMPT_FILE_BYTES:
            raise InputError(rule, value=f"{path.stat().st_size:,} bytes", hint=hint)
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(rule, value=error.strerror or "no file", hint=hint) from error
    except ValueError as error:  # no TOML, no UTF-8, or a name that no file can have
        raise InputError(rule, value=str(error), hint=hint) from error
    classes: dict[str, tuple[str, ...]] = {}
    for class_name, value in table.items():
        listed = [value] if isinstance(value, str) else value
        fits = isinstance(listed, list) and all(
            isinstance(text, str) and text.strip() for text in listed
        )
        if not fits or not listed:
            raise InputError(rule, value=f"{class_name} = {value!r}"[:80], hint=hint)
        classes[class_name] = tuple(" ".join(text.split()) for text in listed)
    if not classes:
        raise InputError(rule, value="no class", hint=hint)
    return classes
