"""Answers are on disk as they are given, are read as labels, and outlive the server."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import InputError, SceneError
from hsiaug.data.georeference import Georeference
from hsiaug.data.vector_labels import read_vector_labels
from hsiaug.ui.answers import AnswerFile, PixelAnswer

SHAPE = (20, 30)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_answer_is_on_disk_when_it_is_given(answers: Path) -> None:
    given = AnswerFile(answers, SHAPE)
    assert not answers.exists()
    given.add(PixelAnswer(((3, 4),), "class", "wheat"))
    assert [(row["row"], row["column"], row["class"]) for row in rows(answers)] == [
        ("3", "4", "wheat")
    ]
    given.add(PixelAnswer(((5, 6), (5, 7)), "class", "rye"))
    assert [row["answer"] for row in rows(answers)] == ["1", "2", "2"]
    given.undo()
    assert [row["class"] for row in rows(answers)] == ["wheat"]


def test_an_empty_file_holds_no_answers_and_is_not_opened(answers: Path) -> None:
    answers.touch()
    with pytest.raises(SceneError, match=r"\.csv must not be empty"):
        AnswerFile(answers, SHAPE)


def test_labels_are_read_from_it_without_none_and_skip(answers: Path) -> None:
    given = AnswerFile(answers, SHAPE)
    for pixel, said, name in (
        ((1, 2), "class", "wheat, winter"),
        ((2, 3), "none", ""),
        ((3, 4), "skip", ""),
    ):
        given.add(PixelAnswer((pixel,), said, name))
    found = read_vector_labels(answers, None, None)

    assert found.values == ("wheat, winter",) and found.pixels == ((1, 2),)
    assert found.skipped == 2


@pytest.mark.parametrize("broken", [b"wheat,cl\xffss", b"wh\xe4t,class", b"wh\x01t,class"])
def test_a_byte_that_is_no_utf_8_costs_its_line_alone(answers: Path, broken: bytes) -> None:
    given = AnswerFile(answers, SHAPE)
    given.add(PixelAnswer(((1, 2),), "class", "wheat"))
    given.add(PixelAnswer(((2, 3),), "class", "rye"))
    answers.write_bytes(answers.read_bytes().replace(b"wheat,class", broken))
    again = AnswerFile(answers, SHAPE)
    assert [one.name for one in again.given] == ["rye"] and len(again.wrong) == 1


def test_it_goes_on_where_it_was(answers: Path) -> None:
    first = AnswerFile(answers, SHAPE)
    first.add(PixelAnswer(((1, 2), (1, 3)), "class", "wheat"))
    first.add(PixelAnswer(((2, 3),), "none"))
    first.add(PixelAnswer(((1, 2),), "class", "rye"))
    again = AnswerFile(answers, SHAPE)

    assert again.names == ["wheat", "rye"]
    np.testing.assert_array_equal(again.labels(again.names), first.labels(again.names))
    assert (
        again.labels(["wheat", "rye"])[1, 2:4].tolist() == [2, 1]
        and again.labels(["wheat", "rye"])[2, 3] == -1
    )


def test_undo_brings_an_earlier_answer_back(answers: Path) -> None:
    given = AnswerFile(answers, SHAPE)
    for name in ("wheat", "rye"):
        given.add(PixelAnswer(((1, 2),), "class", name))
    assert [row["class"] for row in rows(answers)] == ["rye"]
    given.undo()
    assert [row["class"] for row in rows(answers)] == ["wheat"]
    given.undo()
    assert given.undo() is None and rows(answers) == []


def test_of_a_georeferenced_cube_it_says_the_place_on_earth(answers: Path) -> None:
    given = AnswerFile(answers, SHAPE, Georeference((2.0, 0.0, 500.0, 0.0, -2.0, 900.0)))
    given.add(PixelAnswer(((1, 2),), "class", "wheat"))

    assert (rows(answers)[0]["x"], rows(answers)[0]["y"]) == ("505.0", "897.0")
    assert read_vector_labels(answers, None, None).pixels


@pytest.mark.parametrize(
    "text",
    [
        "row,column,class\n1,2,wheat\n",
        "row,column,class,said,answer\n1,99,wheat,class,1\n",
        "row,column,class,said,answer\n1,2,wheat,none,1\n",
        "row,column,class,said,answer\n1,2,,perhaps,1\n",
        "row,column,class,said,answer\nx,2,wheat,class,1\n",
        "row,column,class,said,answer\n1\n",
        "\x00\xff",
    ],
)
def test_another_file_is_refused_and_stays(answers: Path, text: str) -> None:
    answers.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="hsiaug label"):
        AnswerFile(answers, SHAPE)
    assert answers.read_text(encoding="latin-1") == text


def test_a_bad_line_is_named_and_the_others_are_kept(answers: Path) -> None:
    head = "row,column,class,said,answer\n"
    text = f"{head}1,2,wheat,class,1\n1,99,wheat,class,2\nx,3,rye,class,3\n4,5,rye,class,4\n"
    answers.write_text(text, encoding="utf-8")
    given = AnswerFile(answers, SHAPE)

    assert [one.name for one in given.given] == ["wheat", "rye"]
    assert [line.partition(":")[0] for line in given.wrong] == [
        "line 3",
        "line 4",
    ] and "(1, 99)" in given.wrong[0]
    assert answers.read_text(encoding="utf-8") == text
    given.add(PixelAnswer(((6, 7),), "class", "wheat"))
    assert answers.with_name("answers.csv.bak").read_text(encoding="utf-8") == text
    assert AnswerFile(answers, SHAPE).wrong == [] and len(rows(answers)) == 3


@pytest.mark.parametrize(
    "name", ["=1+1", "+rye", "-wheat", "@SUM(A1)", "'=x", "''-y", "-5", "'quoted'", "= x"]
)
def test_a_class_may_be_called_like_a_formula_and_no_spreadsheet_runs_it(
    answers: Path, name: str
) -> None:
    AnswerFile(answers, SHAPE).add(PixelAnswer(((1, 2),), "class", name))

    cell = rows(answers)[0]["class"]
    assert cell[0] not in "=+@" and (cell == "-5" or cell[0] != "-")
    assert AnswerFile(answers, SHAPE).names == [name]
    assert [str(value) for value in read_vector_labels(answers, None, None).values] == [name]


def test_what_another_program_wrote_meanwhile_is_not_lost(answers: Path) -> None:
    given = AnswerFile(answers, SHAPE)
    given.add(PixelAnswer(((1, 2),), "class", "wheat"))
    answers.write_text("row,column,class\n", encoding="utf-8")
    with pytest.raises(InputError, match="must not be changed"):
        given.add(PixelAnswer(((3, 4),), "class", "rye"))
    assert answers.read_text(encoding="utf-8") == "row,column,class\n" and len(given.given) == 1


def test_a_file_of_the_same_size_and_time_that_took_its_place_is_not_lost(answers: Path) -> None:
    given = AnswerFile(answers, SHAPE)
    given.add(PixelAnswer(((1, 2),), "class", "wheat"))
    told, other = answers.stat(), answers.with_name("other.csv")
    other.write_text(answers.read_text("utf-8").replace("wheat", "maize"), "utf-8")
    os.utime(other, ns=(told.st_atime_ns, told.st_mtime_ns))
    other.replace(answers)
    with pytest.raises(InputError, match="must not be changed"):
        given.add(PixelAnswer(((3, 4),), "class", "rye"))
    assert "maize" in answers.read_text("utf-8")
