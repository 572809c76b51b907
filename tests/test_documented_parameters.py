"""Docstrings document the parameters and the attributes that are there."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def definitions() -> list[tuple[str, Function | ast.ClassDef]]:
    """All functions, methods and classes of the package and its plugins, each with its place."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for folder in ("hsiaug", "plugins")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, Function | ast.ClassDef)
    ]


@cache
def classes_by_name() -> dict[str, list[ast.ClassDef]]:
    by_name = defaultdict[str, list[ast.ClassDef]](list)
    for _, node in definitions():
        if isinstance(node, ast.ClassDef):
            by_name[node.name].append(node)
    return by_name


def documented(node: Function | ast.ClassDef, section: str) -> list[str]:
    """The names in a section of a docstring in the style of numpydoc."""
    text = ast.get_docstring(node) or ""
    entries = re.search(rf"^{section}\n-{{3,}}\n(.*?)(?=^\w[^\n]*\n-{{3,}}$|\Z)", text, re.M | re.S)
    heads = re.findall(r"^(\S[^:\n]*?)(?: : .*)?$", entries[1], re.M) if entries else []
    return [name.lstrip("*") for head in heads for name in head.split(", ")]


def parameters(function: Function) -> set[str]:
    """The names in the signature of a function."""
    stated = function.args
    listed = [*stated.posonlyargs, *stated.args, *stated.kwonlyargs, stated.vararg, stated.kwarg]
    return {argument.arg for argument in listed if argument}


def parameters_of_class(node: ast.ClassDef) -> set[str]:
    """The names that a class is built with: of its ``__init__``, or else its fields."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return parameters(item)
    return {name.id for name in names_set(node) if isinstance(name, ast.Name)}


def names_set(node: ast.ClassDef) -> Iterator[ast.expr]:
    """What is assigned or annotated anywhere in a class."""
    for item in ast.walk(node):
        if isinstance(item, ast.AnnAssign):
            yield item.target
        elif isinstance(item, ast.Assign):
            yield from (name for target in item.targets for name in ast.walk(target))  # type: ignore[misc]


def attributes(node: ast.ClassDef) -> set[str]:
    """The attributes and properties of a class, and of those that it inherits from."""
    listed = {item.name for item in node.body if isinstance(item, Function)}
    for name in names_set(node):
        if isinstance(name, ast.Name | ast.Attribute):
            listed.add(name.id if isinstance(name, ast.Name) else name.attr)
    for base in node.bases:
        while isinstance(base, ast.Subscript):
            base = base.value
        for parent in classes_by_name().get(ast.unparse(base).rpartition(".")[2], ()):
            # A base of another package may have the same name.
            listed |= attributes(parent) if parent is not node else set()
    return listed


def test_every_documented_parameter_is_in_the_signature() -> None:
    unknown = {}
    for place, node in definitions():
        known = parameters_of_class(node) if isinstance(node, ast.ClassDef) else parameters(node)
        if names := sorted(set(documented(node, "Parameters")) - known):
            unknown[place] = names
    assert unknown == {}


def test_every_documented_attribute_is_in_the_class() -> None:
    unknown = {}
    for place, node in definitions():
        if isinstance(node, ast.ClassDef):
            names = set(documented(node, "Attributes")) - attributes(node)
            # Names with an underscore behind them may be set by scikit-learn.
            if names := {name for name in names if not name.endswith("_")}:
                unknown[place] = names
    assert unknown == {}


def test_names_are_read_from_their_section_alone() -> None:
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
    assert documented(join, "Parameters") == ["first", "second", "others", "missing"]
