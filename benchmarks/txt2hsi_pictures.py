"""Draw samples of txt2hsi beside real patches, for docs/txt2hsi.md.

    python -m benchmarks.txt2hsi_pictures SCENE [PROMPT…] [PARAMETER=VALUE…]

SCENE is a name or a card. The split is 300, on which choices were made; nothing is chosen for
looks. Without a prompt the picture has held-out patches of each class, generated ones, and the
training patches nearest to these; with prompts it has the first samples of each. It goes to
docs/images/txt2hsi_NAME.png.
"""

from __future__ import annotations

import sys

from PIL import Image

from benchmarks.common import HERE, check_usage, txt2hsi_fits
from hsiaug.quality.contact_sheets import choose_patches, draw_patches, prompt_sheet

SPLIT = 300
IMAGES = HERE.parent / "docs" / "images"
COLOURS = 128
"""Of the file, so that it is small."""


def main() -> None:
    scene, *words = sys.argv[1:]
    prompts = [word for word in words if "=" not in word]
    settings = [word for word in words if "=" in word]
    (made,) = txt2hsi_fits((scene, str(SPLIT), *settings))
    figure = prompt_sheet(made, prompts) if prompts else draw_patches(choose_patches(made))
    file = IMAGES / f"txt2hsi_{made.data.name}.png"
    figure.savefig(file, dpi=110)
    with Image.open(file) as opened:
        picture = opened.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(file, optimize=True)


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
