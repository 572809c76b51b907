"""Cards and suites that are no TOML, or more than anybody writes: one clear error, before memory or
time is spent.
"""

import os
from pathlib import Path

import pytest

from hsiaug.base.errors import HsiaugError, InputError, SceneError, StoreError
from hsiaug.bench.suite import read_suite
from hsiaug.data import load_pairs, load_scene
from hsiaug.trial.store import Store

BOMBS = {
    "deep array": "a = " + "[" * 100_000,
    "deep array, closed": "a = " + "[" * 5000 + "]" * 5000,
    "deep inline": "a = " + "{a = " * 5000 + "1" + "}" * 5000,
    "deep dotted key": "a" + ".a" * 3000 + " = 1\n",
    "deep key inside": "x = { a" + ".a" * 3000 + " = 1 }\n",
    "deep header": "[a" + ".a" * 3000 + "]\n",
    "20 levels": "a = " + "[" * 20 + "]" * 20,
    "5,000 digits": "a = " + "9" * 5000,
    "5,000 hex digits": "a = 0x" + "f" * 5000,
    "beyond 64 bits": "a = 9223372036854775808",
    "a key twice": 'name = "a"\nname = "b"\n',
    "a half pair": 'name = "\\ud800"\n',
    "a zero byte": 'name = "a\0b"\n',
    "another encoding": "a = 1\n".encode("utf-16"),
    "a byte that is no UTF-8": b'name = "\xff"\n',
    "20 MB": "#" + "x" * 20_000_000 + "\n",
}


@pytest.mark.parametrize("bomb", list(BOMBS))
def test_a_file_that_is_no_card_is_refused_by_name(tmp_path: Path, bomb: str) -> None:
    text = BOMBS[bomb]
    path = tmp_path / "odd.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    for read in (load_scene, lambda ref: load_pairs(ref, "segmentation"), read_suite):
        with pytest.raises((SceneError, InputError)) as error:
            read(path)
        assert "odd.toml" in str(error.value) and len(str(error.value)) < 2000


def test_what_is_no_file_is_refused_without_being_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "loop.toml").symlink_to("loop.toml")

    (tmp_path / "empty.toml").touch()

    for name in ("pipe", "folder", "zero", "loop", "empty", "x" * 300):
        with pytest.raises(HsiaugError) as error:
            load_scene(tmp_path / f"{name}.toml")
        assert name[:20] in str(error.value)


def test_a_path_with_a_zero_byte_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a name or a path"):
        load_scene("a\0b.toml")
    for name in ("a\\u0000b", "x" * 300):
        (tmp_path / "suite.toml").write_text(
            f'store = "{name}"\n[[run]]\nname = "r"\nscenes = "toy"\n'
        )
        store = read_suite(tmp_path / "suite.toml").store
        assert store is not None
        with pytest.raises(StoreError, match="store"):
            Store(store, create=True)


@pytest.mark.parametrize("name", ["x" * 300 + ".npy", "a\\u0000b.npy", "a/" * 600, "é" * 200])
@pytest.mark.parametrize("key", ["file", "data"])
def test_a_name_that_no_file_can_have_is_an_error_of_the_card(estate, key: str, name: str) -> None:
    given = f'file = "{name}"' if key == "file" else f'file = "cube.npy"\ndata = "{name}"'
    with pytest.raises(SceneError, match=r"Put the file there|Correct it|Copy the data file"):
        load_scene(estate(given))


def test_a_package_that_is_no_package_holds_no_file(estate) -> None:
    with pytest.raises(HsiaugError, match="__main__"):
        load_scene(estate('file = "cube.npy"\npackage = "__main__"'))


def test_classes_are_counted_before_they_are_compared(estate) -> None:
    names = ", ".join(f'"c{i}"' for i in range(20_000))
    with pytest.raises(SceneError, match="255"):
        load_scene(estate(labels=f'[labels]\nfile = "labels.npy"\nnames = [{names}]\n'))


def test_a_home_of_nobody_is_a_path_that_does_not_exist() -> None:
    with pytest.raises(SceneError, match="must exist"):
        load_scene("~nobody-of-that-name/card.toml")
