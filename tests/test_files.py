"""Files are written whole: where the disk refuses, what was there stays, and nothing half-written
is left.
"""

import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.base.files import write_text_whole
from hsiaug.core.scene import Scene
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.quality.export import save_samples
from hsiaug.quality.figures import save_figures
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.map_files import class_map_figure, save_map, save_quick_look
from hsiaug.quality.synthesis import PixelSynthesis, SampleRequest
from hsiaug.registry.lookup import Registry
from hsiaug.report import build_report, render_report, save_report
from hsiaug.report.output_files import figure_writers, write_files
from hsiaug.report.splits import split_figure
from tests.report.report_records import benchmark, record

pytestmark = pytest.mark.usefixtures("blank_pictures")

OLD = b"what was there before"
GROUND = Georeference((2.0, 0.0, 500000.0, 0.0, -2.0, 5000000.0))


@contextmanager
def small_disk(limit: int = 100) -> Iterator[None]:
    """No file can grow beyond so many bytes: the system refuses as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def made(toy: Scene, plugins: Registry) -> PixelSynthesis:
    request = SampleRequest("duplicate", parse_protocol("issd"), patch=5, device="cpu")
    return synthesise(sample_kit("pixels"), toy, request, plugins)


@pytest.fixture
def outputs(toy: Scene, made: PixelSynthesis) -> dict[str, Callable[[Path], object]]:
    """What writes a file of that name."""
    split = draw_split(toy, parse_protocol("issd"), 0, 5)
    report = build_report(benchmark(2))
    sweep = build_report([record(0.5, 0.4, generator="smote", lam=lam) for lam in (0.5, 1.0)])
    names = toy.class_names
    return {
        **{
            f"table.{name}": lambda path, name=name: write_text_whole(
                path, render_report(report, format=name)
            )
            for name in ("md", "html")
        },
        "curves.pdf": lambda path: save_report(sweep, path, "pdf", "lambda"),
        "split.png": lambda path: write_files(
            [path], figure_writers(lambda: split_figure(toy, split))
        ),
        "map.npy": lambda path: save_map(path, toy.labels, names, None, {}),
        "map.tif": lambda path: save_map(path, toy.labels, names, GROUND, {}),
        "map.hdr": lambda path: save_map(path, toy.labels, names, GROUND, {}),
        "map.png": lambda path: write_files(
            [path], figure_writers(lambda: class_map_figure(toy.labels, names, "map", ""))
        ),
        "samples.npz": lambda path: save_samples(path, made, with_real=True),
        "samples.mat": lambda path: save_samples(path, made, with_real=True),
        "spectra.png": lambda path: save_figures(
            sample_kit("pixels").inspect(made).pictures(), path.parent
        ),
    }


TABLES = ("table.md", "table.html", "samples.npz", "samples.mat")
FIGURES = ("curves.pdf", "split.png", "spectra.png")
MAPS = ("map.npy", "map.tif", "map.hdr", "map.png")


@pytest.mark.usefixtures("few_rounds")
@pytest.mark.parametrize("name", [*TABLES, *FIGURES, *MAPS])
def test_a_full_disk_costs_no_output_that_was_there(outputs, tmp_path, name):
    if name.endswith((".tif", ".hdr")):
        pytest.importorskip("rasterio")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_bytes(OLD)
    with (
        small_disk(),
        pytest.raises(
            InputError,
            match=r"must be a file that can be written; found the Geo|files must be allowed",
        ),
    ):
        outputs[name](folder / name)

    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).read_bytes() == OLD
    outputs[name](folder / name)
    assert len((folder / name).read_bytes()) > 100


def test_a_full_disk_costs_no_card_and_no_picture_of_a_scene(toy: Scene, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", toy.cube)
    np.save(tmp_path / "labels.npy", toy.labels)
    for name in ("mine.toml", "mine_look.png"):
        (tmp_path / name).write_bytes(OLD)
    before = sorted(tmp_path.iterdir())
    with small_disk(), pytest.raises(HsiaugError, match="File too large"):
        add_scene(
            tmp_path / "cube.npy",
            tmp_path / "labels.npy",
            tmp_path / "mine.toml",
            ImportOptions(overwrite=True),
            save_quick_look,
        )
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "mine.toml").read_bytes() == (tmp_path / "mine_look.png").read_bytes() == OLD


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"`out` .*nowhere.table\.md must be a file .*No such file or directory"
    ):
        write_text_whole(tmp_path / "nowhere" / "table.md", "x")
    with pytest.raises(InputError, match="Is a directory"):
        write_text_whole(tmp_path, "x")


def test_the_permissions_of_a_file_and_the_link_to_it_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target.md", tmp_path / "link.md"
    target.write_text("old")
    target.chmod(0o604)
    link.symlink_to(target)
    write_text_whole(link, "new\n")

    assert link.is_symlink() and target.read_text() == "new\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    code = "from pathlib import Path; from hsiaug.base.files import write_text_whole as w; "
    code += "w(Path('/dev/stdout'), 'to the screen'); w(Path('/dev/null'), 'away')"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout == "to the screen"
    assert Path("/dev/null").is_char_device()
    with (tmp_path / "table.md").open("w") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert (tmp_path / "table.md").read_text() == "to the screen"


def test_a_name_as_long_as_names_can_be_is_written(tmp_path: Path) -> None:
    name = "a." + "b" * 253
    write_text_whole(tmp_path / name, "x")
    assert [path.name for path in tmp_path.iterdir()] == [name]
