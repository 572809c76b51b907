"""Docstrings document the parameters that their functions have."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    """All functions and methods of the package and its plugins, each with its place."""
    for folder in ("hsiaug", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, Function):
                    yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def parameters(function: Function) -> set[str]:
    """The names in the signature of a function."""
    stated = function.args
    listed = [*stated.posonlyargs, *stated.args, *stated.kwonlyargs, stated.vararg, stated.kwarg]
    return {argument.arg for argument in listed if argument}


def documented(function: Function) -> list[str]:
    """The names in the section "Parameters" of a docstring in the style of numpydoc."""
    text = ast.get_docstring(function) or ""
    section = re.search(r"^Parameters\n-{3,}\n(.*?)(?=^\w[^\n]*\n-{3,}$|\Z)", text, re.M | re.S)
    if section is None:
        return []
    heads = re.findall(r"^(\S[^:\n]*?)(?: : .*)?$", section[1], re.M)
    return [name.lstrip("*") for head in heads for name in head.split(", ")]


def test_every_documented_parameter_is_in_the_signature() -> None:
    unknown = {
        place: names
        for place, function in functions()
        if (names := sorted(set(documented(function)) - parameters(function)))
    }
    assert unknown == {}


def test_names_are_read_from_the_section_of_parameters_alone() -> None:
    source = '''
def join(first, second, *others, sign=""):
    """Join texts.

    Parameters
    ----------
    first, second : str
        Texts: joined by a sign.
    *others : str
        More.
    missing
        It has no type.

    Returns
    -------
    joined : str
        One text.
    """
'''
    (join,) = ast.parse(source).body
    assert isinstance(join, ast.FunctionDef)
    assert parameters(join) == {"first", "second", "others", "sign"}
    assert documented(join) == ["first", "second", "others", "missing"]
