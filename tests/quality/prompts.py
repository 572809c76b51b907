"""A generator that reads prompts, and shows what they say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hsiaug.api import PatchSamples, PromptReading

STRIPS: dict[str, Any] = {
    "north": np.s_[:2],
    "south": np.s_[-2:],
    "west": np.s_[:, :2],
    "east": np.s_[:, -2:],
}


class Reader:
    """Reads "NAME" and "NAME with NAME to the SIDE", before or after "even" and the like.

    Parameters
    ----------
    heeds : bool
        Whether samples show more than the class of the centre.
    """

    def __init__(self, names: Sequence[str], *, heeds: bool = True) -> None:
        self.names, self.heeds = names, heeds
        self.asked: list[tuple[float | None, int]] = []

    def classes_of(self, prompt: str) -> list[int]:
        """Ids of the classes of a prompt, that of the centre first."""
        found = [c for c, name in enumerate(self.names, start=1) if name in prompt]
        return sorted(found, key=lambda c: prompt.index(self.names[c - 1]))

    def read_prompts(self, prompts: Sequence[str]) -> tuple[PromptReading, ...]:
        """What lies to the south was never said."""
        return tuple(
            PromptReading(
                prompt,
                self.classes_of(prompt)[0],
                looks=("even",) if "even" in prompt or "mixed" in prompt else (),
                never_said=prompt.endswith("south"),
            )
            for prompt in prompts
        )

    def sample_prompts(self, prompts: Sequence[str], *, guidance: Any, seed: int) -> PatchSamples:
        self.asked.append((guidance, seed))
        x = np.zeros((len(prompts), len(self.names), 5, 5), dtype=np.float32)
        rng = np.random.default_rng(seed)
        for patch, prompt in zip(x, prompts, strict=True):
            centre, *others = self.classes_of(prompt)
            patch[centre - 1] = 1
            if others and self.heeds:
                strip = STRIPS[prompt.split()[-1]]
                patch[(centre - 1, *np.atleast_1d(strip))] = 0
                patch[(others[0] - 1, *np.atleast_1d(strip))] = 1
            if "mixed" in prompt and self.heeds:
                patch += rng.normal(0, 0.1, patch.shape)
        return PatchSamples.made(x, np.array([self.classes_of(p)[0] for p in prompts]), {})
