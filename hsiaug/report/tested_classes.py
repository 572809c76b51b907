"""Which classes of a table have enough test pixels: the names of those that the main score leaves
out, and of those whose scores rest on few pixels.
"""

from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.formatting import count_range
from hsiaug.report.tables import ReportTable
from hsiaug.report.text_templates import sentences


def left_out_classes(table: ReportTable) -> str:
    """Which classes the main score is over, and by name those that it leaves out; empty where it is
    over all.
    """
    names = small_classes(table)
    if not table.large:
        return ""
    score = table.scores.main.short
    about = {
        "score": score,
        "classes": len(table.large),
        "fewest": MIN_TEST_PIXELS,
        "untested": untested_classes(table),
    }
    return "".join(sentences("small_classes.txt", small=names, **about))


def small_classes(table: ReportTable) -> list[str]:
    """Names of the classes with test pixels that the main score leaves out; none where it is over
    all.
    """
    if not table.large:
        return []
    untested = untested_classes(table)
    names = enumerate(table.class_names, start=1)
    return [name for i, name in names if i not in table.large and name not in untested]


def untested_classes(table: ReportTable) -> list[str]:
    """Names of the classes that no draw has a test pixel of: they are in no count of classes."""
    counts = [audit.get("test_counts") or () for audit in table.splits.values()]
    tested = {i for numbers in counts for i, number in enumerate(numbers) if number}
    return [name for i, name in enumerate(table.class_names) if tested and i not in tested]


def few_in_fields(table: ReportTable) -> dict[str, dict[str, str]]:
    """Of seen and of new fields, the classes that have test pixels there in some draw, but fewer
    than MIN_TEST_PIXELS: by name, how many.
    """
    few: dict[str, dict[str, str]] = {}
    for part in ("seen", "new") if table.scores.fields else ():
        draws = [audit.get(f"{part}_counts") or () for audit in table.splits.values()]
        for i, name in enumerate(table.class_names):
            counts = [numbers[i] for numbers in draws if len(numbers) > i and numbers[i]]
            if counts and min(counts) < MIN_TEST_PIXELS:
                few.setdefault(part, {})[name] = count_range(counts)
    return few
