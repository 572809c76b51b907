"""``hsiaug map``: the class of every pixel of a scene or of a set of pairs, by the classifier of a record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_lines, print_table, say_written


def map_(
    scene: options.SceneRef,
    record: Annotated[str, option("Hash of the record whose classifier maps, or its beginning.")],
    out: Annotated[
        list[Path],
        option(
            "File to write: .tif or .npy (the map, with a .png where no picture is named), .png, .svg or .pdf (with its "
            "legend); of several places NAME_PLACE.tif. Repeat for more."
        ),
    ],
    store: options.StoreDir = Path("hsiaug-results"),
    device: options.Device = "auto",
) -> None:
    """Map a whole scene, or every place of a set of pairs, with the classifier of one record.

    Fits the record's generator (or takes it from the store) and classifier again, on the training pixels of its draw,
    and predicts every pixel, in stripes. Writes class ids (0 = no data), in the place on Earth that the cube's file
    names, and beside them a picture with a legend. Says whether the test pixels come out as in the record.

    Examples:
      hsiaug map my_scene.toml --record 3fa9 --out map.tif
      hsiaug map indian_pines --record 3fa9 --out map.pdf
      hsiaug map oscd --record 3fa9 --out change.tif
    """
    # As a benchmark does, so that the classifier becomes the same.
    one_thread()
    from hsiaug.data.catalogue import check_spared
    from hsiaug.quality.maps import check_map_targets
    from hsiaug.scene_maps import HEADER, make_map
    from hsiaug.trial.store import Store

    check_map_targets(out)
    check_spared(scene, out)
    made = make_map(scene, Store(store), record, device, console(err=True))
    files, screen = made.save_all(out), console()
    print_table(screen, HEADER, made.rows())
    print_lines(screen, made.remarks())
    say_written(files)
