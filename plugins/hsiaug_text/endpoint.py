"""A language model behind an OpenAI-compatible endpoint turns facts into sentences: only where one is configured.

HSIAUG_TEXT_URL (base address, ending in /v1 as a rule), HSIAUG_TEXT_MODEL, and HSIAUG_TEXT_KEY if it wants one.
Facts of the training pixels and class names are sent, nothing else. Answers are kept on disk, so that the same
facts give the same text again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug_text import cache
from hsiaug_text.facts import ClassFacts, rounded

__all__ = ["Endpoint", "configured", "endpoint_sentences", "write_descriptions"]

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 120.0
WORDS = 18
"""A sentence may have so many words, which leaves room for the coarse prompt before it."""

TASK = f"""You describe land-cover classes of a hyperspectral scene from measured facts. Answer with one JSON
object and nothing else: each class name as given -> a list of exactly two sentences, the first on shape, texture
and neighbours, the second on colour and spectrum. Every sentence begins with "the " and the class name, is in
lower case, has at most {WORDS} words, uses prepositions for spatial relations, and says what sets the class apart.
No two classes share a sentence. Say nothing that the facts do not show."""


@dataclass(frozen=True)
class Endpoint:
    """url: base address of the API; model: its name there; key: sent as bearer token unless empty."""

    url: str
    model: str
    key: str = ""


def configured() -> Endpoint | None:
    """The endpoint that the environment names, or None. Raises InputError where only half of it is set."""
    url, model = os.environ.get("HSIAUG_TEXT_URL", ""), os.environ.get("HSIAUG_TEXT_MODEL", "")
    if not url and not model:
        return None
    if not url or not model:
        raise InputError(
            "an endpoint for descriptions needs both HSIAUG_TEXT_URL and HSIAUG_TEXT_MODEL",
            value=f"only {'HSIAUG_TEXT_URL' if url else 'HSIAUG_TEXT_MODEL'}",
            hint="Set the other one too, or neither for automatic descriptions.",
        )
    return Endpoint(url, model, os.environ.get("HSIAUG_TEXT_KEY", ""))


def endpoint_sentences(facts: Sequence[ClassFacts], endpoint: Endpoint) -> dict[int, tuple[str, ...]]:
    """As :func:`write_descriptions`, asked once per facts, address and model: the answer is kept on disk."""
    key = cache.key_of("endpoint", endpoint.url, endpoint.model, TASK, *(json.dumps(rounded(f)) for f in facts))
    kept = cache.read_json(key)
    if kept is not None:
        try:
            return _validated(json.dumps(kept), facts)
        except PluginError:
            pass  # a damaged file is asked for again and replaced
    made = write_descriptions(facts, endpoint.url, endpoint.model, endpoint.key)
    cache.write_json(key, {f.name: list(made[f.class_id]) for f in facts})
    return made


def write_descriptions(
    facts: Sequence[ClassFacts], url: str, model: str, api_key: str = ""
) -> dict[int, tuple[str, ...]]:
    """Two sentences for each class id, written by ``model`` at ``url`` + /chat/completions, in one request.

    Raises DataUnavailableError at once where the endpoint cannot be reached or refuses, and PluginError where its
    answer is not what was asked for.
    """
    import requests

    address = url.rstrip("/") + "/chat/completions"
    request: Any = {
        "model": model,
        "temperature": 0,
        "messages": [
            {"role": "system", "content": TASK},
            {"role": "user", "content": json.dumps([rounded(f) for f in facts])},
        ],
    }
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        answer = requests.post(address, json=request, headers=headers, timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
    except (requests.RequestException, ValueError) as cause:
        raise _unavailable(address, type(cause).__name__) from cause
    if not answer.ok:
        raise _unavailable(address, f"answer {answer.status_code}")
    try:
        content = answer.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError) as cause:
        raise _wrong(f"no message in {answer.text[:80]!r}") from cause
    return _validated(content, facts)


def _validated(content: Any, facts: Sequence[ClassFacts]) -> dict[int, tuple[str, ...]]:
    try:
        table = json.loads(content)
    except (ValueError, TypeError) as cause:
        raise _wrong(f"{str(content)[:80]!r}, which is not JSON") from cause
    names = [f.name for f in facts]
    if not isinstance(table, Mapping) or sorted(table) != sorted(names):
        raise _wrong(
            f"classes {sorted(table) if isinstance(table, Mapping) else table!r} instead of {sorted(names)}"
        )
    made = {f.class_id: tuple(_sentence(f.name, text) for text in _pair(f.name, table[f.name])) for f in facts}
    listed = [sentence for pair in made.values() for sentence in pair]
    twice = sorted({sentence for sentence in listed if listed.count(sentence) > 1})
    if twice:
        raise _wrong(f"the sentence {twice[0]!r} twice")
    return made


def _pair(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(f"{value!r} for {name} instead of a list of two sentences")
    return value


def _sentence(name: str, text: Any) -> str:
    sentence = " ".join(text.lower().split()).rstrip(".") if isinstance(text, str) else ""
    if not sentence.startswith(f"the {name} ") or len(sentence.split()) > WORDS + len(name.split()):
        raise _wrong(f"{text!r} for {name}, which does not begin with 'the {name}' or is too long")
    return sentence


def _unavailable(address: str, found: str) -> DataUnavailableError:
    return DataUnavailableError(
        f"descriptions were to come from {address}, which HSIAUG_TEXT_URL names, but it does not serve",
        value=found,
        hint="Start it, correct HSIAUG_TEXT_URL and HSIAUG_TEXT_KEY, or unset them for automatic descriptions.",
    )


def _wrong(found: str) -> PluginError:
    return PluginError(
        "the endpoint for descriptions must answer with a JSON object: class name → two sentences",
        value=found,
        hint="Try another model, or unset HSIAUG_TEXT_URL and HSIAUG_TEXT_MODEL for automatic descriptions.",
    )
