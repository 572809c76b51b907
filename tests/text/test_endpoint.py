"""Descriptions by an OpenAI-compatible endpoint: only where configured, strictly checked, never replaced."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug_text import class_prompts, class_words, fine_sentences
from hsiaug_text.endpoint import configured, write_descriptions
from hsiaug_text.facts import class_facts
from tests.effort import Waited


@dataclass
class Model:
    """Answers with ``content`` (a function of the facts it was sent), and remembers what it was asked."""

    url: str = ""
    status: int = 200
    content: Any = None
    seen: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)


def good(facts: list[dict[str, Any]]) -> str:
    table = {f["name"]: [f"The {f['name']} lies near others.", f"the {f['name']}  is colourful"] for f in facts}
    return json.dumps(table)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    served = Model(content=good)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.seen.append((self.path, request, self.headers.get("Authorization", "")))
            content = served.content(json.loads(request["messages"][1]["content"]))
            body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
            self.send_response(served.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def facts(view_of):
    view = view_of()
    return class_facts(view, class_words(view.class_names))


def test_sentences_are_written_for_every_class(model, facts):
    made = write_descriptions(facts, model.url, "gpt-test", "secret")
    assert made[1] == ("the meadow lies near others", "the meadow is colourful") and sorted(made) == [
        1,
        2,
        3,
        4,
        5,
    ]
    path, request, authorization = model.seen[0]
    assert path == "/v1/chat/completions" and request["model"] == "gpt-test" and authorization == "Bearer secret"
    sent = json.loads(request["messages"][1]["content"])
    assert sent[0]["name"] == "meadow" and "ndvi" in sent[0]["indices"] and sent[0]["place"]["relation"]


def test_no_key_is_sent_where_there_is_none(model, facts):
    write_descriptions(facts, model.url, "m")
    assert model.seen[0][2] == ""


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (lambda facts: "Sure! Here you are: {}", "not JSON"),
        (lambda facts: "[]", "instead of"),
        (lambda facts: json.dumps({"meadow": ["the meadow is a", "the meadow is b"]}), "instead of"),
        (lambda facts: json.dumps({f["name"]: "one" for f in facts}), "a list of two sentences"),
        (lambda facts: json.dumps({f["name"]: ["the wheat is a", ""] for f in facts}), "does not begin with"),
        (
            lambda facts: json.dumps({f["name"]: [f"the {f['name']} is" + " so" * 40] * 2 for f in facts}),
            "too long",
        ),
        (lambda facts: json.dumps({f["name"]: [f"the {f['name']} is it"] * 2 for f in facts}), "twice"),
        (lambda facts: None, "not JSON"),
    ],
)
def test_any_other_answer_is_refused(model, facts, content, found):
    model.content = content
    with pytest.raises(PluginError, match=found):
        write_descriptions(facts, model.url, "m")


def test_a_refusal_is_an_error_that_says_how_to_go_on(model, facts):
    model.status = 401
    with pytest.raises(DataUnavailableError, match=r"answer 401.*HSIAUG_TEXT_KEY"):
        write_descriptions(facts, model.url, "m")


def test_an_endpoint_that_is_not_there_is_an_error_at_once(facts, monkeypatch):
    waited = Waited(monkeypatch)
    with pytest.raises(DataUnavailableError, match="does not serve"):
        write_descriptions(facts, "http://127.0.0.1:9/v1", "m")
    assert waited.seconds == 0


def test_nothing_is_asked_unless_configured(view_of, no_network):
    assert configured() is None
    class_prompts(view_of(), "both")


def test_half_a_configuration_is_refused(monkeypatch):
    monkeypatch.setenv("HSIAUG_TEXT_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(InputError, match="HSIAUG_TEXT_MODEL"):
        configured()


def test_a_configured_endpoint_writes_what_the_card_lacks_and_is_asked_once(model, view_of, monkeypatch):
    monkeypatch.setenv("HSIAUG_TEXT_URL", model.url)
    monkeypatch.setenv("HSIAUG_TEXT_MODEL", "m")
    view = view_of(descriptions={"Pond": ["the pond is wet"]})
    first = fine_sentences(view)
    assert first[1].source == "endpoint" and first[5].source == "card"
    assert fine_sentences(view) == first and len(model.seen) == 1


def test_a_configured_endpoint_that_fails_is_never_replaced(view_of, monkeypatch):
    monkeypatch.setenv("HSIAUG_TEXT_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HSIAUG_TEXT_MODEL", "m")
    with pytest.raises(DataUnavailableError):
        class_prompts(view_of(), "fine")
