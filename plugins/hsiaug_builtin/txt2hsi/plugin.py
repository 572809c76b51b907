"""The generator ``txt2hsi``: its card, and where its training and its state are found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.api import Card, Plugin, Progress, PromptReading, TrainView, load_state, resampled
from hsiaug_builtin.txt2hsi.params import PREPARE_VERSION, VERSION, Txt2HsiParams

if TYPE_CHECKING:
    from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi
    from hsiaug_builtin.txt2hsi.prepare import PreparedScene


class Txt2Hsi(Plugin[Txt2HsiParams]):
    """Learns a VAE, pseudo-labels and a text-conditioned denoiser from one scene."""

    card = Card(
        name="txt2hsi",
        version=VERSION,
        summary=(
            "Semi-supervised text-conditioned latent diffusion, Txt2HSI-LDM(VAE), reimplemented"
        ),
        paper="""@misc{zhu2025txt2hsi, author={Yimin Zhu and Lincoln Linlin Xu},
            title={Language-Informed Hyperspectral Image Synthesis for Imbalanced-Small Sample
            Classification via Semi-Supervised Conditional Diffusion Model},
            howpublished={arXiv:2502.19700}, year={2025}, eprint={2502.19700},
            archiveprefix={arXiv}}; most details are not public and are this project's choice""",
        scope="scene",
        guidance=0.0,
        text=True,
        uses_device=True,
        resumes=True,
        prepares=True,
        prepare_version=PREPARE_VERSION,
        baseline="gaussian",
        prepare_seconds=10.0,
        seconds=20.0,
        params=Txt2HsiParams,
        presets={
            "tiny": {
                "size": "tiny",
                "latent": 6,
                "vae_steps": 20,
                "scene_steps": 45,
                "steps": 35,
                "rate": 1e-2,
            },
            "paper": {
                "size": "paper",
                "latent": 64,
                "vae_steps": 2000,
                "scene_steps": 20000,
                "steps": 600,
                "rate": 2e-4,
                "weight": 1.0,
                "sample_steps": 20,
            },
        },
    )

    def prepare(
        self,
        view: TrainView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None = None,
    ) -> PreparedScene:
        """Learn the VAE, and the denoiser where ``scene_steps`` says so, from all visible patches,
        without a label.
        """
        from hsiaug_builtin.txt2hsi.prepare import learn_scene
        from hsiaug_builtin.txt2hsi.shipped import serve_scene

        prepare = learn_scene if self.params.scene_steps else serve_scene
        return prepare(
            view,
            self.params,
            seed=seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
        )

    def read_prompts(
        self,
        prompts: Sequence[str],
        *,
        class_names: Sequence[str],
        trained: Collection[int],
        patch: int,
    ) -> tuple[PromptReading, ...]:
        """What is understood of prompts as somebody typed them, before anything is learnt."""
        from hsiaug_builtin.text import class_words
        from hsiaug_builtin.txt2hsi.reading import read_prompt

        names = dict(enumerate(class_words(class_names), start=1))
        learns = self.params.steps > 0
        return tuple(read_prompt(one, names, trained, patch, learns=learns) for one in prompts)

    def write_sentences(self, view: TrainView) -> str:
        """The automatic sentences of a split, as a file that the parameter ``text`` reads."""
        from hsiaug_builtin.txt2hsi.reading import automatic_sentences

        return automatic_sentences(view)

    def load_prepared(self, folder: Path, *, device: str) -> PreparedScene:
        """Read what :meth:`prepare` saved."""
        from hsiaug_builtin.txt2hsi.prepare import PreparedScene

        return PreparedScene.restore(folder, device)

    def fit(
        self,
        view: TrainView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        prepared: PreparedScene,
        checkpoint: Path | None = None,
    ) -> FittedTxt2Hsi:
        """Train on texts; a training that was killed goes on from ``checkpoint``."""
        from hsiaug_builtin.txt2hsi.fit import fit_txt2hsi

        return fit_txt2hsi(
            view,
            self.params,
            prepared,
            seed=seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
        )

    def load(self, folder: Path, *, device: str) -> FittedTxt2Hsi:
        """Read a saved fit."""
        from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi

        arrays, facts = load_state(folder)
        params = resampled(Txt2HsiParams(**facts["params"]), self.params)
        return FittedTxt2Hsi.restore(arrays, facts, params, device)
