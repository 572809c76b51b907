"""Do the words of classes say anything of their spectra in another scene? Their log evidence.

    bash benchmarks/prior.sh
    python -m benchmarks.words > benchmarks/results/prior/words.md

For each scene and the prior learnt from the four others: how much likelier the training pixels of selection draws 100 to
104 are with the words of their classes than without any (natural logarithm), and the same with the words dealt out to
other classes of the scene, ten times a draw. No test pixel enters.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.common import HERE, markdown, say
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug_builtin.spectra.prior import Prior
from hsiaug_builtin.spectra.target import Target

SCENES = {
    "indian_pines": "indian_pines",
    "pavia": "scenes/pavia_crop.toml",
    "jasper": "scenes/jasper_ridge.toml",
    "samson": "scenes/samson.toml",
}
PROTOCOLS, DRAWS, DEALS, PATCH = ("kshot:1", "kshot:3", "issd"), range(100, 105), 10, 9


def main() -> None:
    """Print the table."""
    rows = []
    for name, ref in SCENES.items():
        scene = load_scene(ref if ref == name else HERE / ref)
        prior = Prior.load(HERE / "priors" / name)
        for protocol in PROTOCOLS:
            right, dealt = [], []
            for draw in DRAWS:
                view = train_view(scene, draw_split(scene, parse_protocol(protocol), draw, PATCH), "scene")
                right.append(Target.of(view, prior).evidence)
                for deal in range(DEALS):
                    names = tuple(np.random.default_rng((draw, deal)).permutation(view.class_names).tolist())
                    if names != view.class_names:
                        dealt.append(Target.of(replace(view, class_names=names), prior).evidence)
            share = np.mean([one < np.mean(right) for one in dealt])
            cells = (f"{np.mean(right):+.1f} ({min(right):+.1f} to {max(right):+.1f})", f"{np.mean(dealt):+.1f}")
            rows.append((scene.name, protocol, *cells, f"{100 * share:.0f} %"))
    say("# Log evidence of the words of classes\n")
    header = ("scene", "protocol", "right words", "words of other classes", "of these below the right words")
    say("\n".join(markdown(header, rows)))


if __name__ == "__main__":
    main()
