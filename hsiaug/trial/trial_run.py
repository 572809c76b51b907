"""A trial with its plugins, and what these are shown."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from hsiaug.contracts import Classifier, Generator, Progress, silent
from hsiaug.core.spectral_views import SpectralView
from hsiaug.registry.card import Card
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import AnyBlock, TaskData, TaskView
from hsiaug.trial.draw_views import DrawViews
from hsiaug.trial.scene_context import SceneContext
from hsiaug.trial.spec import TrialSpec


@dataclass(eq=False)
class TrialRun:
    """A trial with its plugins, and what these are shown.

    Attributes
    ----------
    spec : TrialSpec
        What is run.
    context : SceneContext
        The data, which may be without labels, and what trials on them share.
    generator, classifier : Generator or Classifier or None
        The plugins; None where only the other one is asked for something.
    devices : dict of str
        Device of each kind of plugin.
    progress : callable
        Is told how far a fit is.
    """

    spec: TrialSpec
    context: SceneContext
    generator: Generator | None = None
    classifier: Classifier | None = None
    devices: dict[str, str] = field(default_factory=dict)
    progress: Progress = silent

    @property
    def task(self) -> Task:
        """The task of the trial."""
        return self.context.task

    @property
    def data(self) -> TaskData:
        """The data that it runs on."""
        return self.context.scene

    def card(self, kind: Literal["generator", "classifier"]) -> Card:
        """The card of a plugin of the trial."""
        plugin = self.generator if kind == "generator" else self.classifier
        assert plugin is not None, f"the trial has no {kind}"
        return plugin.card

    @property
    def views(self) -> DrawViews:
        """The train views of its draw."""
        return self.context.views(self.spec)

    @property
    def view(self) -> TaskView:
        """What its generator is shown."""
        return self.views.of(self.card("generator").scope)

    @property
    def spectra(self) -> SpectralView:
        """The spectral view of its classifier."""
        return self.views.spectra(self.spec.view)

    @property
    def classifier_view(self) -> TaskView:
        """What its classifier is shown beside the samples."""
        scope = self.card("classifier").scope
        return self.views.of_classifier(scope, self.spectra, self.spec.train)

    @cached_property
    def blocks(self) -> list[AnyBlock]:
        """The blocks of the pool of samples that the trial takes samples from."""
        if not self.card("generator").adds:
            return []
        return self.task.sampling.blocks(self.view, self.spec.generated_rate)

    @property
    def asks_samples(self) -> bool:
        """Whether its λ and M ask for a sample. If not, no generator is fitted."""
        return any(block.total for block in self.blocks)
