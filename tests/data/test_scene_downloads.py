"""Downloads: several mirrors, checksums, nothing half-written, and a quick answer when offline."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import requests

from hsiaug.base.errors import DataUnavailableError, SceneError
from hsiaug.data import catalogue, fetch_scene, load_scene, scene_card
from hsiaug.data.catalogue import find_entry, status
from tests.effort import Waited
from tests.leavings import files_of_others, paths_in


@dataclass
class Remote:
    """A scene whose cube has to be downloaded; the label file lies beside the card."""

    card: Path
    target: Path
    content: bytes
    sha256: str

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in self.target.parent.iterdir())


@pytest.fixture
def remote(estate: Callable[..., Path], tmp_path: Path) -> Callable[..., Remote]:
    def make(*urls: str) -> Remote:
        estate()
        content = (tmp_path / "cube.npy").read_bytes()
        (tmp_path / "cube.npy").unlink()
        digest = hashlib.sha256(content).hexdigest()
        listed = ", ".join(f'"{url}"' for url in urls)
        card = estate(
            f'file = "cube.npy"\nsha256 = "{digest}"\nsize = {len(content)}\nurls = [{listed}]'
        )
        return Remote(card, tmp_path / "cube.npy", content, digest)

    return make


def test_a_missing_file_is_downloaded_when_the_scene_is_loaded(remote, server, cube):
    scene = remote(server.url("good"))
    server.files["good"] = scene.content

    assert status(find_entry(scene.card)) == "to download"
    assert np.array_equal(load_scene(scene.card, progress=False).cube, cube)
    assert status(find_entry(scene.card)) == "here"

    load_scene(scene.card, progress=False)
    assert server.seen == ["good"], "what is here is not asked for again"


@pytest.mark.parametrize("trouble", ["absent", "wrong", "cut", "stalled"])
def test_the_next_mirror_is_tried_when_one_fails(remote, server, trouble, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "STALL_SECONDS", 0.3)
    scene = remote(server.url(trouble), server.url("good"))
    server.files |= {"wrong": b"<html>moved</html>", "cut": scene.content, "stalled": scene.content}
    server.files["good"] = scene.content
    server.cut.add("cut")
    server.stall.add("stalled")

    assert fetch_scene(scene.card)[0] == scene.target

    assert scene.target.read_bytes() == scene.content
    assert server.seen == [trouble, "good"]
    assert scene.leftovers() == ["cube.npy", "estate.toml", "labels.npy"]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Downloading cube.npy" in shown.err and "127.0.0.1" in shown.err


def test_when_every_mirror_fails_the_error_names_file_folder_and_reasons(remote, server):
    scene = remote(server.url("absent"), server.url("wrong"))
    server.files["wrong"] = b"another file"

    with pytest.raises(DataUnavailableError) as error:
        fetch_scene(scene.card, progress=False)

    for part in ("cube.npy", str(scene.target.parent), scene.sha256, "404", "another checksum"):
        assert part in str(error.value)
    assert scene.leftovers() == ["estate.toml", "labels.npy"], "nothing half-written stays"


def test_what_a_killed_download_left_goes_with_the_next_one_and_files_of_others_stay(
    remote, server, monkeypatch
):
    scene = remote(server.url("good"))
    server.files["good"] = scene.content

    def kill(self: requests.Response, **_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        # A killed process tidies nothing up.
        patch.setattr(requests.Response, "iter_content", kill)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            fetch_scene(scene.card, progress=False)
    assert len(scene.leftovers()) == 3
    files_of_others(scene.target.parent)
    others = paths_in(scene.target.parent)
    (left,) = (name for name in scene.leftovers() if name.startswith(".download."))
    monkeypatch.setattr("hsiaug.base.temporary_folders.ABANDONED", -1.0)

    fetch_scene(scene.card, progress=False)
    assert others - paths_in(scene.target.parent) == {left, f"{left}/.hsiaug", f"{left}/new"}


def test_a_file_placed_by_hand_is_accepted_without_a_request(remote, server):
    scene = remote(server.url("good"))
    scene.target.write_bytes(scene.content)
    fetch_scene(scene.card)
    assert server.seen == []


def test_a_file_with_another_checksum_is_refused_and_left_alone(remote, server):
    scene = remote(server.url("good"))
    server.files["good"] = scene.content
    scene.target.write_bytes(b"an older version")

    with pytest.raises(SceneError) as error:
        load_scene(scene.card)

    actual = hashlib.sha256(b"an older version").hexdigest()
    for part in (str(scene.target), scene.sha256, actual, "move it away", server.url("good")):
        assert part in str(error.value)
    assert scene.target.read_bytes() == b"an older version"


def test_offline_the_answer_comes_at_once_and_says_what_to_put_where(
    remote, closed_port, monkeypatch
):
    scene = remote(f"http://127.0.0.1:{closed_port}/cube.npy")
    waited = Waited(monkeypatch)
    with pytest.raises(DataUnavailableError) as error:
        load_scene(scene.card)
    assert waited.seconds == 0
    for part in ("cube.npy", str(scene.target.parent), "by hand", str(closed_port)):
        assert part in str(error.value)


def test_a_folder_that_cannot_be_written_is_an_error_with_a_mend(
    remote, server, tmp_path, monkeypatch
):
    scene = remote(server.url("good"))
    server.files["good"] = scene.content
    monkeypatch.setattr("shutil.move", _full_disk)
    with pytest.raises(DataUnavailableError, match="HSIAUG_DATA_DIR"):
        fetch_scene(scene.card, progress=False)


def _full_disk(*args: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("line", ['file = "../../evil.npy"', 'file = "/evil.npy"'])
def test_a_card_cannot_download_outside_its_folder(estate, line):
    card = estate(f'{line}\nsha256 = "{"0" * 64}"\nurls = ["http://127.0.0.1/x"]')
    with pytest.raises(SceneError, match="inside the scene's folder"):
        scene_card(card)


def test_houston_says_which_files_to_place_by_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    assert status(find_entry("houston_2018")) == "place by hand"
    with pytest.raises(DataUnavailableError) as error:
        load_scene("houston_2018")
    for part in (
        "NAD83.pix",
        "GT_TR.tif",
        str(tmp_path / "houston_2018"),
        "machinelearning.ee.uh.edu",
    ):
        assert part in str(error.value)


def test_public_files_are_found_in_the_scenes_folder_or_straight_in_the_data_folder(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    assert status(find_entry("salinas_a")) == "to download"
    (tmp_path / "SalinasA_gt.mat").touch()
    (tmp_path / "salinas_a").mkdir()
    (tmp_path / "salinas_a" / "SalinasA_corrected.mat").touch()
    assert status(find_entry("salinas_a")) == "here"
