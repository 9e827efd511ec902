"""Stripe's typed Python package, read as text: what an object's fields and a request's parameters are.

Nothing of the package is imported; the wheel is a zip file and its sources are parsed.
"""

from __future__ import annotations

import ast
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Field:
    """One annotated attribute; `required` is what the annotation says (neither Optional nor NotRequired)."""

    name: str
    type: ast.expr
    required: bool


class Package:
    """The sources of one wheel of stripe-python."""

    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith((".py", "LICENSE"))]
            self.sources = {name: archive.read(name).decode() for name in names}
        self.version = self.constant("stripe/_version.py", "VERSION")
        self.api_version = self.constant("stripe/_api_version.py", "CURRENT")

    def tree(self, file: str) -> ast.Module:
        return ast.parse(self.sources[f"stripe/{file}"])

    def constant(self, file: str, name: str) -> str:
        for node in ast.walk(ast.parse(self.sources[file])):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                return str(ast.literal_eval(node.value))
        raise KeyError(name)

    def shapes(self, file: str) -> dict[str, Shape]:
        """All top-level classes of a file."""
        return {node.name: Shape(node) for node in self.tree(file).body if isinstance(node, ast.ClassDef)}


@dataclass(frozen=True)
class Shape:
    """A class of the package: its annotated fields and the classes inside it."""

    node: ast.ClassDef

    @cached_property
    def nested(self) -> dict[str, Shape]:
        return {node.name: Shape(node) for node in self.node.body if isinstance(node, ast.ClassDef)}

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        found = (node for node in self.node.body if isinstance(node, ast.AnnAssign))
        return tuple(_field(node) for node in found if isinstance(node.target, ast.Name) and _visible(node))


def _visible(node: ast.AnnAssign) -> bool:
    name = node.target.id if isinstance(node.target, ast.Name) else ""
    if name == "object" or not isinstance(node.annotation, ast.Subscript):
        return True
    return ast.unparse(node.annotation.value) != "ClassVar"


def _field(node: ast.AnnAssign) -> Field:
    assert isinstance(node.target, ast.Name)
    inner = _unquoted(node.annotation)
    optional = outer(inner) in ("Optional", "NotRequired")
    return Field(node.target.id, argument(inner) if optional else inner, not optional)


def outer(node: ast.expr) -> str:
    """`List` of `List[X]`, empty where nothing is subscripted."""
    return ast.unparse(node.value) if isinstance(node, ast.Subscript) else ""


def argument(node: ast.expr) -> ast.expr:
    """`X` of `List[X]`."""
    assert isinstance(node, ast.Subscript)
    return _unquoted(node.slice)


def _unquoted(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def alternatives(node: ast.expr) -> list[ast.expr]:
    """The members of `Union[A, B]` or `A | B`; of anything else, itself."""
    if outer(node) == "Union":
        members = (
            node.slice.elts if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) else []
        )
        return [_unquoted(member) for member in members]
    if isinstance(node, ast.BinOp):
        return [*alternatives(_unquoted(node.left)), *alternatives(_unquoted(node.right))]
    return [node]


def literals(node: ast.expr) -> list[str | bool]:
    """The values of `Literal[…]`, sorted; texts but for a lone truth value, as that of `deleted`."""
    assert isinstance(node, ast.Subscript)
    elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    values = (ast.literal_eval(element) for element in elements)
    return sorted((value if isinstance(value, bool) else str(value) for value in values), key=str)
