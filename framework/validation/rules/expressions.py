"""The column names within expressions and templates, and what else may stand in them."""

from __future__ import annotations

import ast
import string
import warnings

FUNCTIONS = ("abs", "ceil", "floor", "max", "min", "round")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.USub, ast.UAdd)
_STRUCTURE = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Load, *_OPERATORS)
_MOST_PARTS = 300


class Unreadable(ValueError):
    """A text that is not of the form it should have."""


def expression_names(text: str) -> tuple[str, ...]:
    """The columns that an expression names.

    Raises:
        Unreadable: it is not made of columns, numbers, ``+ - * / // %``, parentheses and `FUNCTIONS`.
    """
    nodes = list(ast.walk(_parsed(text)))
    if len(nodes) > _MOST_PARTS:
        raise Unreadable(f"it has more than {_MOST_PARTS} parts")
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        _require_allowed(node)
    return tuple(node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called)


def _parsed(text: str) -> ast.Expression:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on odd literals
            return ast.parse(" ".join(text.split()), mode="eval")
    except (SyntaxError, ValueError):
        raise Unreadable("it is no arithmetic") from None
    except (RecursionError, MemoryError):
        raise Unreadable("it is nested too deeply") from None


def _require_allowed(node: ast.AST) -> None:
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            raise Unreadable(f"the functions are {', '.join(FUNCTIONS)}")
        if node.keywords or not _takes(node.func.id, node.args):
            raise Unreadable(f"{node.func.id} does not take these values")
    elif isinstance(node, ast.Constant):
        if type(node.value) not in (int, float):
            raise Unreadable(f"{node.value!r} is no number")
    elif not isinstance(node, (*_STRUCTURE, ast.Name)):
        raise Unreadable("only columns, numbers, + - * / // % and parentheses may stand here")


def _takes(function: str, arguments: list[ast.expr]) -> bool:
    if function in ("min", "max"):
        return len(arguments) > 0
    if function == "round" and len(arguments) == 2:
        places = arguments[1]
        return isinstance(places, ast.Constant) and type(places.value) is int and 0 <= places.value <= 9
    return len(arguments) == 1


def template_names(text: str) -> tuple[str, ...]:
    """The columns that a template names.

    Raises:
        Unreadable: its braces are not those of ``{column}``, ``{{`` and ``}}``.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise Unreadable(str(error)) from None
    for _, name, form, conversion in parts:
        if form or conversion:
            raise Unreadable(f"{{{name}}} takes no format")
    return tuple(name for _, name, _, _ in parts if name is not None)
