"""How many samples of each class classifiers trained on, real ones and synthetic ones."""

from pandas import DataFrame

from hsiaug.report.audit import Counts, class_samples, counted_again
from hsiaug.report.formatting import MISSING, span
from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable

NOTE = "Mean over the splits, and their range where they differ."


def _section(table: ReportTable, _: Sources) -> Section | None:
    """Rows classes, columns real samples and those of every λ and M; None where no trial was given
    any.
    """
    found = [*class_samples(table)]
    if not table.class_names or not found:
        return None
    # Every rate has the real samples of the splits that it was run on.
    columns = {"real": max((one.real for one in found), key=len)}
    for one in found:
        name = " ".join(["synthetic,", one.rate.words, ", ".join(one.generators)]).rstrip()
        columns[name] = one.synthetic
    names = [f"{i} {name}" for i, name in enumerate(table.class_names, start=1)]
    counted = {
        name: [_span(draws, place) for place in range(len(names))]
        for name, draws in columns.items()
    }
    frame = DataFrame(counted, index=names).rename_axis("class")
    again = counted_again(table)
    notes = (NOTE, *([f"Of real ones, {again}."] if again else []))
    return Section("Samples of each class in training", frames=(Frame("", frame),), notes=notes)


def _span(draws: list[Counts], place: int) -> str:
    counts = [classes[place] for classes in draws if place < len(classes)]
    return span(counts, 0) if counts else MISSING


SECTIONS = (SectionKind("sample-counts", _section, 92, within="classes"),)
