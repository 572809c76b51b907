"""How many samples of each class arms trained on, real ones and those of their generators."""

from functools import partial

from hsiaug.report.formatting import MISSING, span
from hsiaug.report.notes import Counts, class_samples, counted_again
from hsiaug.report.section import GridColumn, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable

NOTE = "Mean over the draws, and their range where they differ"
ALIKE = "λ and M fix the number for every generator alike"


def _section(table: ReportTable, _: Sources) -> Section | None:
    """Rows classes, columns real samples and those of every λ and M; None where no trial was given
    any.
    """
    found = [*class_samples(table)]
    if not table.class_names or not found:
        return None

    def counted(draws: list[Counts], class_id: int) -> str:
        counts = [classes[class_id - 1] for classes in draws if class_id <= len(classes)]
        return span(counts, 0) if counts else MISSING

    # Every rate has the real samples of the draws that it was run on.
    real = max((one.real for one in found), key=len)
    columns = [
        GridColumn("class", lambda i: f"{i} {table.class_names[i - 1]}", numeric=False),
        GridColumn("real", partial(counted, real)),
        *(
            GridColumn(
                f"{one.rate.words} {', '.join(one.generators)}".rstrip(),
                partial(counted, one.synthetic),
                "added",
            )
            for one in found
        ),
    ]
    ids = range(1, len(table.class_names) + 1)
    alike = "" if any(one.generators for one in found) else f". {ALIKE}"
    again = f"; {told}" if (told := counted_again(table)) else ""
    return Section(
        "Samples of each class",
        tables=(make_grid("Samples of each class in training", columns, ids),),
        notes=(f"{NOTE}{alike}{again}.",),
    )


SECTIONS = (SectionKind("sample-counts", _section, 92, within="classes"),)
