"""The functions that ``hsiaug generate`` and ``hsiaug inspect`` need of a task.

============  ==========================================  ==========================================================
function      pixel classification                        segmentation and change detection
============  ==========================================  ==========================================================
``check``     no option of masks; a file .npz or .mat     an empty folder
``counts``    samples per class, by λ                     pairs in all, and by class where names are given
``draw``      the trial's own samples                     class by class
``facts``     λ, transductive                             pairs, classes asked for
``save``      one file of patches                         a folder of images and masks that hsiaug reads again
``classes``   samples of each class                       shares of the labelled pixels
``inspect``   centre spectra                              tiles and masks
``pictures``  spectra, principal components               contact sheet, spectra, nearest tiles
============  ==========================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from hsiaug.contracts import FittedGenerator, Generator, Progress
from hsiaug.quality.inspection import AnyInspection
from hsiaug.quality.synthesis import SampleRequest, Synthesis, sample_spec, silent
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import Counts, Data, Samples, Split, Task, View
from hsiaug.trial.cache import Workbench
from hsiaug.trial.sparse_masks import check_masks_dense
from hsiaug.trial.spec import TrialSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AnyKit", "Drawn", "SampleKit", "synthesise"]

Report = TypeVar("Report", bound=AnyInspection)
Drawn = tuple[Samples, FittedGenerator, Mapping[str, float]]
"""Synthetic samples, the fitted generator, and the seconds of each stage."""


class SampleKit(Protocol[Data, Split, View, Samples, Counts, Report]):
    """The samples of one task outside a trial; see the module's docstring for what each function does.

    unit: of the numbers of ``classes``, "%" for shares. check: raises InputError before anything is made that could not
    be written to ``out``. counts: raises InputError for no sample at all. save: returns lines that say what was written.
    inspect: reads test labels, a diagnosis after the fit. pictures: by name.
    """

    unit: str

    @property
    def task(self) -> Task[Data, Split, View, Samples, Counts]: ...
    def check(self, request: SampleRequest, out: Path, /) -> None: ...
    def counts(self, view: View, request: SampleRequest, /) -> Counts: ...
    def draw(
        self,
        bench: Workbench[Data, Split, View, Samples, Counts],
        spec: TrialSpec,
        generator: Generator,
        request: SampleRequest,
        progress: Progress,
        /,
    ) -> Drawn[Samples]: ...
    def facts(self, card: Card, synthetic: Samples, request: SampleRequest, /) -> dict[str, Any]: ...
    def save(self, path: Path, made: Synthesis[Data, Split, Samples], /, *, with_real: bool) -> list[str]: ...
    def classes(self, made: Synthesis[Data, Split, Samples], /, *, with_real: bool) -> list[dict[str, Any]]: ...
    def inspect(self, made: Synthesis[Data, Split, Samples], seed: int = 0, /) -> Report: ...
    def pictures(self, inspection: Report, /) -> dict[str, Figure]: ...
    def numbers(self, inspection: Report, folder: Path, /) -> list[Path]: ...


AnyKit = SampleKit[Any, Any, Any, Any, Any, Any]
"""A kit of a task of which only the name is known."""


def synthesise(
    kit: SampleKit[Data, Split, View, Samples, Counts, Report],
    data: Data,
    request: SampleRequest,
    plugins: Registry,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Synthesis[Data, Split, Samples]:
    """Fit a generator on the training samples of a draw, as a trial of these settings does, and sample it.

    folder: the cache of a store of records, where slow fits are looked for and kept; None = neither.
    Raises InputError for a generator or counts that make no sample, an unknown name, a number out of range, or masks
    that the training labels are too sparse for.
    """
    generator, spec = sample_spec(kit.task, data, request, plugins)
    card = generator.card
    bench = Workbench(data, kit.task, folder)
    own = plugins.find("generator", request.generator).load().card
    check_masks_dense(own, kit.task.name, bench.split(spec), plugins)
    synthetic, fitted, seconds = kit.draw(bench, spec, generator, request, progress)
    real = cast(Samples, bench.view(spec, card.scope).real)
    facts = kit.facts(card, synthetic, request)
    return Synthesis(data, bench.split(spec), spec, card, fitted, real, synthetic, seconds, facts)
