"""Draw samples of txt2hsi, a prompt a row, for docs/txt2hsi.md.

    python -m benchmarks.txt2hsi_pictures SCENE [PROMPT…]

SCENE is a name or a card. The draw is 300, on which choices were made. Prompts are by default the
names of some classes, and their most frequent layouts. Nothing is chosen for looks: the first
samples of each prompt are shown. The picture goes to docs/images/txt2hsi_NAME.png.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.common import check_usage, txt2hsi_fits
from benchmarks.docs_figures import keep_picture
from hsiaug.quality.prompt_fidelity import PromptScene
from hsiaug.quality.prompt_sheet import prompt_sheet, sheet_prompts

DRAW = 300


def main() -> None:
    scene, *prompts = sys.argv[1:]
    (made,) = txt2hsi_fits((scene, str(DRAW)))
    if not prompts:
        scene = PromptScene.of(made)
        assert scene is not None
        prompts = sheet_prompts(made, scene.layouts)
    figure = prompt_sheet(made, prompts)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sheet.png")
        figure.savefig(file, dpi=200)
        keep_picture(file, f"txt2hsi_{made.data.name}")


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
