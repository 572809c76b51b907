"""Do guidance and text act on what samples of txt2hsi are like? An oracle tells their classes.

    python -m benchmarks.txt2hsi_guidance SCENE DRAW [PARAMETER=VALUE ...]

For each ω, with the same noise: the AUC with which an oracle of held-out pixels tells the class of
a sample from its centre spectrum, the mean over classes; and the share of samples that it names
rightly. The same for held-out pixels, and for samples whose texts were those of other classes: what
a text alone does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import markdown, say
from benchmarks.oracle import Oracle
from hsiaug.data import load_scene
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import AnySynthesis, SampleRequest
from hsiaug.registry.lookup import registry

OMEGAS = (0.0, 1.0, 3.0)
PER_CLASS = 25
SEED = 0


def measure_guidance(made: AnySynthesis, oracle: Oracle) -> Iterator[Sequence[str]]:
    """A row for each ω, one for texts of other classes at each, and one for held-out pixels."""
    fitted: Any = made.fitted
    classes = np.unique(made.real.y)
    counts = dict.fromkeys(classes.tolist(), PER_CLASS)
    of_others = replace(fitted, texts=with_next_texts(fitted.texts))
    for name, generator in (("own text", fitted), ("text of the next class", of_others)):
        for omega in OMEGAS:
            samples = generator.sample(counts, guidance=omega, seed=SEED)
            middle = samples.x.shape[2] // 2
            spectra = samples.x[:, :, middle, middle]
            yield (name, f"{omega:g}", *scores(oracle, spectra, samples.y))
    at = np.random.default_rng(SEED).permutation(np.argwhere(made.split.test))
    labels = made.data.labels[at[:, 0], at[:, 1]]
    some = np.concatenate([at[labels == c][:PER_CLASS] for c in classes])
    spectra = made.data.cube[some[:, 0], some[:, 1]]
    y = made.data.labels[some[:, 0], some[:, 1]].astype(np.int64)
    yield ("held-out pixels", "–", *scores(oracle, spectra, y))


def scores(oracle: Oracle, spectra: NDArray[Any], y: NDArray[np.int64]) -> tuple[str, str, str]:
    """AUC, share that is named rightly, and number of spectra (n, B) of classes y (n,)."""
    right = float(np.mean(oracle.classes_of(spectra) == y))
    return f"{oracle.auc(spectra, y):.3f}", f"{100 * right:.1f}", str(len(y))


def with_next_texts(texts: Any) -> Any:
    """The texts of a fit, each class with those of the next."""
    ids = sorted(texts.rows)
    rows = {c: texts.rows[other] for c, other in zip(ids, [*ids[1:], ids[0]], strict=True)}
    return replace(texts, rows=rows)


def main() -> None:
    scene = load_scene(sys.argv[1])
    # Its fit is looked at: samples of its own are hardly needed.
    overrides = dict(word.split("=", 1) for word in sys.argv[3:])
    draw = int(sys.argv[2])
    request = SampleRequest("txt2hsi", seed=draw, lam=0.1, times=0.0, overrides=overrides)
    made = synthesise(sample_kit("pixels"), scene, request, registry())
    oracle = Oracle.of(made.data, made.split)
    say(f"the oracle names {100 * oracle.right:.1f} % of other held-out pixels rightly")
    rows = list(measure_guidance(made, oracle))
    say("\n".join(markdown(("samples", "ω", "AUC", "right, %", "n"), rows)))


if __name__ == "__main__":
    main()
