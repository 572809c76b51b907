"""Do samples of txt2hsi show what their prompts say, and the more so under guidance?

    python -m benchmarks.txt2hsi_guidance SCENE DRAW… [PARAMETER=VALUE…]

The rates of ``hsiaug inspect``, by an oracle of held-out pixels, mean over draws, with 95 % t
intervals where there are several: of real patches, and of samples at each ω.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from statistics import fmean

from benchmarks.common import check_usage, markdown, say, txt2hsi_fits
from hsiaug.metrics.significance import t_interval
from hsiaug.quality.prompt_fidelity import (
    LABELS,
    OMEGAS,
    PromptFidelity,
    PromptScene,
    measure_fidelity,
)


def main() -> None:
    draws = []
    for made in txt2hsi_fits(sys.argv[1:]):
        scene = PromptScene.of(made)
        if scene is not None and (said := measure_fidelity(made, scene)) is not None:
            draws.append(said)
    right = fmean(said.oracle_right for said in draws)
    say(f"The oracle names {100 * right:.1f} % of other held-out pixels rightly.")
    header = ("said and seen", "draws", "real", *(f"ω = {omega:g}" for omega in OMEGAS))
    say("\n".join(markdown(header, rows_of(draws))))


def rows_of(draws: Sequence[PromptFidelity]) -> Iterator[tuple[str, ...]]:
    """A row for each rate."""
    for name, label in LABELS.items():
        rates = [rate for said in draws for rate in said.rates if rate.name == name]
        columns = zip(*((rate.real, *rate.values) for rate in rates), strict=True)
        yield label, str(len(rates)), *map(over_draws, columns)


def over_draws(values: Sequence[float | None]) -> str:
    """The mean, and its interval."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    interval = t_interval(known)
    return f"{fmean(known):.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


if __name__ == "__main__":
    check_usage(__doc__, 2)
    main()
