"""Sections of a report: each module declares its own, and every format shows them."""

import re
from typing import get_args, get_type_hints

import pytest

from hsiaug.cli.report import report as report_command
from hsiaug.report.sections import MAIN, SectionKind, section_kinds, table_views


def test_every_section_has_a_name_of_its_own_and_lies_in_a_part_that_exists() -> None:
    kinds = section_kinds()
    ids = [kind.id for kind in kinds]
    assert len(ids) == len(set(ids))
    assert {kind.within for kind in kinds} - {""} <= {
        MAIN,
        *(kind.id for kind in kinds if not kind.within),
    }


@pytest.mark.parametrize("view", ["summary", "labels"])
def test_a_section_of_one_table_stands_in_no_view_of_several(view: str) -> None:
    with pytest.raises(ValueError, match=f"own stands in {view}, a view of several tables"):
        SectionKind("own", lambda table, sources: None, 1, views=("class", view))


def test_the_help_names_every_view() -> None:
    _, option = get_args(get_type_hints(report_command, include_extras=True)["by"])
    words = option.help
    assert set(re.findall(r"\w+", words.partition(": ")[2])) >= {
        "summary",
        "labels",
        *table_views(),
    }
