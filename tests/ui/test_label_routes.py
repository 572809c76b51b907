"""The server of ``hsiaug label``: who may ask, what an answer does, and what comes out."""

import errno
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hsiaug.base.errors import DataUnavailableError, InputError
from hsiaug.cli.label import label
from hsiaug.core.scene import Scene
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.data.georeference import quiet
from hsiaug.data.loading import bare_scene
from hsiaug.data.vector_labels import read_vector_labels
from hsiaug.ui import server
from hsiaug.ui.answers import AnswerFile
from hsiaug.ui.label_routes import LabelRoutes
from hsiaug.ui.labelling import Labelling, pixels_within
from tests.in_process import hsiaug
from tests.processes import Process
from tests.third_party import DUMMY, environment, install

Begin = Callable[..., Labelling]


def answered(client: Any, row: int, column: int, name: str) -> dict[str, Any]:
    said = client.post("answer", json={"pixels": [[row, column]], "said": "class", "name": name})
    assert said.status_code == 200, said.text
    return dict(said.json())


def truth(toy: Scene, labelling: Labelling) -> None:
    """Answer every pick with its true class, or that it is of none."""
    for pick in labelling.picks:
        true = int(toy.labels[pick.row, pick.column])
        name = toy.class_names[true - 1] if true else ""
        labelling.answer([(pick.row, pick.column)], "class" if true else "none", name)


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("http://127.0.0.1:4321/", {}),
        ("http://127.0.0.1:4321/state", {}),
        ("http://127.0.0.1:4321/another-secret/state", {}),
        ("state", {"Host": "evil.example:4321"}),
        ("state", {"Host": "127.0.0.1:80"}),
        ("state", {"Host": ""}),
    ],
)
def test_without_the_token_or_under_another_name_all_is_refused(client, address, headers):
    assert client.get("state").status_code == 200
    for call in (client.get, client.post):
        refused = call(address, headers=headers)
        assert refused.status_code == 403 and "classes" not in refused.text


def test_no_other_page_may_read_or_frame_it(client: Any) -> None:
    for address in ("", "label.js", "state", "picture/colours"):
        headers = client.get(address, headers={"Origin": "http://evil.example"}).headers
        assert "access-control-allow-origin" not in headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


def test_the_page_names_nothing_from_elsewhere(client: Any) -> None:
    for address in ("", "label.js", "ui.css", "page.css"):
        text = client.get(address).text.replace("http://www.w3.org/2000/svg", "")
        assert len(text) > 500 and "//" not in text.replace("// ", "").replace("url(data:", "")


def test_an_answer_is_on_disk_before_it_is_confirmed(client: Any, answers: Path) -> None:
    state = answered(
        client, 3, 4, "meadow" if "meadow" in client.labelling.names else client.labelling.names[0]
    )
    assert state["answers"] == 1 and state["points"] == [[3, 4, 1]]
    assert read_vector_labels(answers, None, None).pixels == ((3, 4),)
    assert client.post("undo").json()["moved"] == [3, 4]
    assert client.post("redo").json()["moved"] == [3, 4] and "3,4" in answers.read_text()
    assert client.post("undo").json()["undone"] == 1
    assert "3,4" not in answers.read_text()
    assert client.post("undo").json()["moved"] is None


def test_it_starts_without_any_label(begin: Begin) -> None:
    labelling = begin()
    labelling.ask()
    labelling.wait()
    assert labelling.job.error == ""
    assert len({(pick.row, pick.column) for pick in labelling.picks}) == 6
    assert all(pick.votes == {} and pick.uncertainty == 1 for pick in labelling.picks)
    labelling.make_map()
    labelling.wait()
    assert "labels of two classes" in labelling.job.error and labelling.map is None


def test_with_two_classes_the_committee_votes(begin: Begin, toy: Scene) -> None:
    labelling = begin()
    for _ in range(3):
        labelling.ask()
        labelling.wait()
        truth(toy, labelling)
    assert labelling.job.error == ""
    assert all(sum(pick.votes.values()) == 2 for pick in labelling.picks)


def test_none_of_these_is_not_learnt_and_not_asked_again(begin: Begin, toy: Scene) -> None:
    labelling = begin(known=np.where(toy.labels == 1, toy.labels, 0).astype(np.int16), count=20)
    labelling.ask()
    labelling.wait()
    first = [(pick.row, pick.column) for pick in labelling.picks]
    for i, pixel in enumerate(first):
        labelling.answer([pixel], "none" if i % 2 else "skip")
    _, labels, known = labelling._now()
    assert {int(labels[pixel]) for pixel in first} == {-1, -2}
    assert not any(known.train[pixel] for pixel in first)
    labelling.ask()
    labelling.wait()
    assert not {(pick.row, pick.column) for pick in labelling.picks} & set(first)
    assert {c for pick in labelling.picks for c in pick.votes} == set()


def test_a_second_start_goes_on(begin: Begin, client: Any) -> None:
    answered(client, 3, 4, client.labelling.names[1])
    client.post("class", json={"name": "water"})
    answered(client, 5, 6, "water")
    again = begin()
    assert again.names[-1] == "water"
    np.testing.assert_array_equal(again.labels(), client.labelling.labels())
    assert again.undo() is not None and again.labels()[5, 6] == 0


def test_a_polygon_is_the_pixels_whose_centres_it_holds(client: Any) -> None:
    corners = [[2.0, 3.0], [2.0, 6.0], [5.0, 6.0], [5.0, 3.0]]
    name = client.labelling.names[2]
    body = {"polygon": corners, "said": "class", "name": name}
    assert client.post("answer", json=body).json()["classes"][2]["pixels"] == 9
    labels = client.labelling.labels()
    assert (labels[2:5, 3:6] == 3).all() and (labels > 0).sum() == 9
    client.post("undo")
    assert not client.labelling.labels().any()
    assert pixels_within([(0.2, 0.2), (0.2, 0.4), (0.4, 0.4)], (9, 9)) == []
    assert len(pixels_within([(-5, -5), (-5, 50), (50, 50), (50, -5)], (9, 7))) == 63


def test_a_cube_without_labels_becomes_a_scene(begin: Begin, toy: Scene, answers: Path) -> None:
    cube = answers.with_name("cube.npy")
    raw = np.round(toy.cube * 1e4).astype(np.int16)
    raw[:2] = -9
    raw[:, :, 3] = 7
    np.save(cube, raw)
    bare, ground, guesses = bare_scene(cube)
    assert bare.class_names == () and ground is None and "cube.scale" in guesses
    labelling = begin(scene=bare)
    labelling.ask()
    labelling.wait()
    assert labelling.picks and labelling.job.error == "" and labelling.state()["classes"] == []
    for name in ("wheat", "rye"):
        labelling.add_class(name)
    for i, pick in enumerate(labelling.picks):
        labelling.answer([(pick.row, pick.column)], "class", ("wheat", "rye")[i % 2])
    added = add_scene(
        cube, answers, answers.with_name("farm.toml"), ImportOptions(classes=("wheat", "rye"))
    )
    np.testing.assert_array_equal(added.scene.cube, bare.cube)
    np.testing.assert_array_equal(added.scene.labels, labelling.labels())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"pixels": [[1, 2]], "said": "class", "name": "no such class"}',
        b'{"pixels": [[1, 2]], "said": "maybe"}',
        b'{"pixels": [[-1, 2]], "said": "none"}',
        b'{"pixels": [[1, 4000]], "said": "none"}',
        b'{"polygon": [[1, 2], [3, 4]], "said": "none"}',
        b'{"polygon": [["a", 2]], "said": "none"}',
    ],
)
def test_what_is_no_answer_is_refused_and_writes_nothing(
    client: Any, answers: Path, body: bytes
) -> None:
    refused = client.post("answer", content=body)
    assert refused.status_code == 400 and "found" in refused.json()["error"]
    assert not answers.exists()


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 61])
def test_a_class_needs_a_plain_name(client: Any, name: str) -> None:
    assert client.post("class", json={"name": name}).status_code == 400


def test_the_map_can_be_seen_and_saved(client: Any, toy: Scene) -> None:
    labelling: Labelling = client.labelling
    for c in (1, 2, 3):
        for row, column in np.argwhere(toy.labels == c)[:5]:
            answered(client, int(row), int(column), toy.class_names[c - 1])
    assert client.get("picture/map").status_code == client.get("export/map.npy").status_code == 400
    client.post("map")
    labelling.wait()
    made = labelling.map
    assert made is not None and made.learnt == 15
    assert set(np.unique(made.ids[labelling.data])) <= {1, 2, 3}
    assert client.get("pixel?row=10&column=20").json()["map"] == made.ids[10, 20]
    labels = np.load(io.BytesIO(client.get("export/labels.npy").content))
    np.testing.assert_array_equal(labels, np.maximum(client.labelling.labels(), 0))
    assert labels.any()
    exported = np.load(io.BytesIO(client.get("export/map.npy").content))
    np.testing.assert_array_equal(exported, made.ids)
    for kind in ("map", "labels", "colours"):
        assert Image.open(io.BytesIO(client.get(f"picture/{kind}").content)).size == (48, 48)
    assert client.get("export/..%2Fanswers.csv").status_code in (400, 404)


def test_the_map_leaves_as_a_geotiff(client: Any, toy: Scene, tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    for c in (1, 2):
        row, column = np.argwhere(toy.labels == c)[0].tolist()
        answered(client, row, column, toy.class_names[c - 1])
    client.post("map")
    client.labelling.wait()
    (tmp_path / "map.tif").write_bytes(client.get("export/map.tif").content)
    with quiet() as rasterio, rasterio.open(tmp_path / "map.tif") as file:
        np.testing.assert_array_equal(file.read(1), client.labelling.map.ids)
        assert (
            file.tags()["CLASS_1"] == toy.class_names[0] and file.tags()["CLASSIFIER"] == "rf (raw)"
        )


def test_spectra_and_means(client: Any, toy: Scene) -> None:
    told = client.get("pixel?row=3&column=4").json()
    assert told["spectrum"] == pytest.approx(toy.cube[3, 4].tolist(), abs=1e-5)
    assert told["label"] == 0 and told["map"] is None
    for query in (
        "",
        "?row=-1&column=2",
        "?row=1&column=1000",
        "?row=a&column=1",
        f"?row={10**20}&column=1",
    ):
        assert client.get(f"pixel{query}").status_code == 400
    assert client.get("means").json() == {}
    answered(client, 3, 4, toy.class_names[1])
    assert client.get("means").json()["2"] == pytest.approx(toy.cube[3, 4].tolist(), abs=1e-5)


def test_without_the_extra_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(DataUnavailableError, match="pip install starlette uvicorn"):
        label("toy")


def test_bad_input_is_refused_before_the_page_opens(tmp_path: Path) -> None:
    (tmp_path / "toy-answers.csv").write_text("row,column,class\n")
    for words, part in (
        (("no_such_scene",), "no_such_scene"),
        (("toy",), "must be a file that"),
        (("absent.hdr",), "absent.hdr"),
    ):
        said = hsiaug("label", *words, "--port", "0", cwd=tmp_path)
        assert said.returncode == 2 and part in said.stderr and "Traceback" not in said.stderr


def test_a_killed_server_loses_no_answer(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "hsiaug", "label", "toy", "--port", "0")
    with Process(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        address = run.stdout.readline().removeprefix("label at: ").strip()
        for row in range(5):
            body = json.dumps({"pixels": [[row, 7]], "said": "none"}).encode()
            asked = urllib.request.Request(
                f"{address}answer", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(asked) as answer:
                assert answer.status == 200
        os.kill(run.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        run.communicate()
    left = AnswerFile(tmp_path / "toy-answers.csv", (48, 48))
    assert [one.pixels for one in left.given] == [((row, 7),) for row in range(5)]
    with left.held():  # the lock of a process that is gone holds nobody up
        assert {path.name for path in tmp_path.iterdir()} == {
            "toy-answers.csv",
            "toy-answers.csv.lock",
        }
    assert [path.name for path in tmp_path.iterdir()] == ["toy-answers.csv"]


def test_ctrl_c_ends_the_server_while_clients_are_slow(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "hsiaug", "label", "toy", "--port", "0")
    with Process(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        assert run.stdout is not None
        address = urllib.parse.urlsplit(run.stdout.readline().removeprefix("label at: ").strip())
        half = f"POST {address.path}answer HTTP/1.1\r\nHost: {address.netloc}\r\n"
        half += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        with socket.create_connection((address.hostname, address.port)) as slow:
            slow.sendall(half.encode())
            asked = urllib.request.urlopen(f"{address.geturl()}state", timeout=600)
            asked.close()
            run.send_signal(signal.SIGINT)
            _, said = run.communicate()
    assert run.returncode in (0, 128 + signal.SIGINT)
    assert "Error" not in said and "Traceback" not in said, said


BROWSER = """#!/bin/sh
setsid {python} -c "import os, time; open({mark!r}, 'w').write(str(os.getpid())); time.sleep(600)" &
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_the_browser_stays_when_the_server_has_ended(tmp_path: Path) -> None:
    mark, browser = tmp_path / "mark", tmp_path / "browser"
    browser.write_text(BROWSER.format(python=sys.executable, mark=str(mark)))
    browser.chmod(0o755)
    command = (sys.executable, "-m", "hsiaug", "label", "toy")
    site = install(tmp_path / "site", "dummy_plugin", DUMMY)
    env = environment(site, DISPLAY=":0", BROWSER=f"{browser} %s &")
    with Process(
        command,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**env, "HSIAUG_CACHE_DIR": str(tmp_path / "cache")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        while not (mark.exists() and mark.read_text()):
            assert run.poll() is None
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        run.wait()
    pid = int(mark.read_text())
    # On a busy machine it may still be on its way from that file to its sleep.
    assert "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    os.kill(pid, signal.SIGKILL)


def test_a_second_page_over_the_same_answers_says_who_holds_them(tmp_path: Path) -> None:
    with AnswerFile(tmp_path / "toy-answers.csv", (48, 48)).held():
        said = hsiaug("label", "toy", "--port", "0", cwd=tmp_path)
    assert (
        said.returncode == 2
        and f"process {os.getpid()}" in said.stderr
        and "label at" not in said.stdout
    )


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Origin": "http://evil.example"}, b"{}", 403),
        ({"Origin": "null"}, b"{}", 403),
        ({"Sec-Fetch-Site": "cross-site"}, b"{}", 403),
        ({"Sec-Fetch-Site": "same-site"}, b"{}", 403),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"{}", 415),
    ],
)
@pytest.mark.parametrize("address", ["undo", "answer", "class", "ask", "map"])
def test_what_comes_from_another_page_does_nothing(
    client: Any, answers: Path, address: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    answered(client, 3, 4, client.labelling.names[0])
    before, state = answers.read_bytes(), client.get("state").json()
    refused = client.post(address, content=content, headers=headers)
    assert refused.status_code == status and refused.json()["error"]
    assert answers.read_bytes() == before and client.get("state").json() == state


def test_a_request_that_is_too_long_is_refused_before_it_is_read(client: Any) -> None:
    body = b'{"pixels": [' + b" " * 5_000_000 + b"]}"
    refused = client.post("answer", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 413 and "at most 4 MB" in refused.json()["error"]


def test_its_own_page_may_act(client: Any) -> None:
    own = {"Origin": "http://127.0.0.1:4321", "Sec-Fetch-Site": "same-origin"}
    assert client.post("class", json={"name": "water"}, headers=own).status_code == 200


def test_idle_and_broken_connections_do_not_stop_the_page(begin, served):
    address = served(LabelRoutes(begin()).routes())
    host, _, path = address.removeprefix("http://").partition("/")
    place = (host.partition(":")[0], int(host.partition(":")[2]))
    idle = [socket.create_connection(place) for _ in range(200)]
    for one in idle[:50]:
        one.sendall(f"GET /{path}state HTTP/1.1\r\nHost: {host}\r\nX-Slow: ".encode())
    with socket.create_connection(place) as broken:
        sent = f"Host: {host}\r\nContent-Type: application/json\r\nContent-Length: 9"
        broken.sendall(f"POST /{path}answer HTTP/1.1\r\n{sent}\r\n\r\n{{".encode())
    with urllib.request.urlopen(f"{address}state") as answer:
        assert answer.status == 200
    for one in idle:
        one.close()


def test_a_full_disk_is_told_and_loses_no_earlier_answer(client, answers, monkeypatch):
    name = client.labelling.names[0]
    answered(client, 3, 4, name)
    before = answers.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step in ("fsync", "replace"):
        with monkeypatch.context() as broken:
            broken.setattr(os, step, full)
            if step == "replace":
                broken.setattr(Path, "replace", full)
            refused = client.post(
                "answer", json={"pixels": [[5, 6]], "said": "class", "name": name}
            )
        assert refused.status_code == 400 and "No space left" in refused.json()["error"]
        assert answers.read_bytes() == before and client.get("state").json()["answers"] == 1
        assert [path.name for path in answers.parent.iterdir() if path.is_file()] == [answers.name]
    assert answered(client, 5, 6, name)["answers"] == 2


def test_a_port_that_is_taken_is_named(begin: Begin) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match="one that is free"):
            server.serve_here([], port, browser=False, announce=print)
