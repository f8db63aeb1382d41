"""The rule `expression`: arithmetic over the columns of a row, exact where the columns are.

Whole numbers and numerics are calculated as integers with a scale (Python's own where int64 is too small), so no result
depends on binary fractions. Only columns of type real or double make it floating point.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framework.generate.columns.scalars import INTEGER_LIMITS, limit_of, scale_of
from framework.generate.columns.streams import Rows
from framework.generate.columns.values import Vector
from framework.generate.rules.rule import Batch, Rule, Scope
from framework.types import Kind, LogicalType

_SAFE = 2**62
_DEEPEST_SCALE = 12
"""Decimals kept of a product."""
_QUOTIENT_SCALE = 9
"""Decimals kept of a quotient."""
_HELP = "use names of number columns, numbers, + - * / // %, and round, abs, min, max, floor, ceil"
_FLOAT_KINDS = (Kind.REAL, Kind.DOUBLE)


@dataclass(frozen=True)
class Number:
    """A column of numbers: ``data`` / 10 ** ``scale``, or floats, which have no scale."""

    data: NDArray[Any]
    scale: int | None

    def floats(self) -> NDArray[np.float64]:
        """The nearest floats."""
        values = self.data.astype(np.float64)
        return values if not self.scale else values / 10.0**self.scale


Evaluate = Callable[[Mapping[str, Number]], Number]


def expression(scope: Scope, rule: str, type_: LogicalType) -> Rule:
    """A column computed from others of the row; NULL where one of them is."""
    if scope.unique:
        raise scope.never_unique("expression")
    try:
        tree = ast.parse(rule.strip(), mode="eval").body
    except SyntaxError as error:
        raise scope.impossible(f"`expression: {rule}` cannot be read", _HELP) from error
    compiler = _Compiler(scope, rule)
    evaluate = compiler.compile(tree)
    finish = _finisher(scope, type_)

    def draw(batch: Batch, rows: Rows) -> Vector:
        result, columns = Vector(rows), {}
        for name in sorted(compiler.names):
            vector = batch.column(name)
            columns[name] = _number(scope.types[name], vector)
            result = result.with_nulls(vector.nulls)
        with np.errstate(all="ignore"):
            value = evaluate(columns)
            data = np.broadcast_to(value.data, (len(rows),))
            return Vector(finish(Number(data, value.scale), result.nulls), result.nulls)

    return Rule(draw, reads=frozenset(compiler.names))


def _number(type_: LogicalType, vector: Vector) -> Number:
    data = vector.array if vector.nulls is None else np.where(vector.nulls, 1, vector.array)
    if type_.kind in _FLOAT_KINDS:
        return Number(data, None)
    return Number(data, scale_of(type_) if type_.kind is Kind.NUMERIC else 0)


def _finisher(scope: Scope, type_: LogicalType) -> Callable[[Number, Any], NDArray[Any]]:
    """Rounds results to the type; refuses those that it has no room for."""
    if type_.kind in _FLOAT_KINDS:
        return lambda number, _: number.floats()
    if type_.kind is not Kind.NUMERIC and type_.kind not in INTEGER_LIMITS:
        raise scope.unfit("expression", type_, "use a number type")
    scale = scale_of(type_) if type_.kind is Kind.NUMERIC else 0
    limit = limit_of(type_)

    def finish(number: Number, nulls: NDArray[np.bool_] | None) -> NDArray[Any]:
        if number.scale is None:
            scaled = np.rint(number.data * 10.0**scale)
            bad = ~(np.abs(scaled) < min(limit, _SAFE))
        else:
            scaled = rescaled(number, scale).data
            bad = np.abs(scaled) >= limit
        bad = bad.astype(np.bool_) if nulls is None else bad.astype(np.bool_) & ~nulls
        if bad.any():
            raise scope.impossible(
                f"a result of its expression is no {type_} (too large, or divided by zero)",
                "widen the type, or keep the expression in range with min and max",
            )
        return np.where(False if nulls is None else nulls, 0, scaled).astype(np.int64)

    return finish


class _Compiler:
    """Turns the syntax tree into functions of columns."""

    def __init__(self, scope: Scope, rule: str) -> None:
        self._scope = scope
        self._rule = rule
        self.names: set[str] = set()

    def compile(self, node: ast.expr) -> Evaluate:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return self._literal(str(node.value))
        if isinstance(node, ast.Name):
            return self._column(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            operand, sign = self.compile(node.operand), -1 if isinstance(node.op, ast.USub) else 1
            return lambda columns: Number((value := operand(columns)).data * sign, value.scale)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            left, right, operator = self.compile(node.left), self.compile(node.right), _OPERATORS[type(node.op)]
            return lambda columns: operator(left(columns), right(columns))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node.func.id, node.args)
        raise self._error(f"{ast.unparse(node)!r} is not allowed")

    def _literal(self, value: str) -> Evaluate:
        exact = Decimal(value)
        exponent = exact.as_tuple().exponent
        scale = max(-exponent, 0) if isinstance(exponent, int) else 0
        number = Number(np.array([int(exact.scaleb(scale))], dtype=object), scale)
        return lambda _: _narrowed(number)

    def _column(self, name: str) -> Evaluate:
        type_ = self._scope.types.get(name)
        if type_ is None:
            raise self._error(f"there is no column {name!r}")
        if type_.kind not in (*INTEGER_LIMITS, Kind.NUMERIC, *_FLOAT_KINDS):
            raise self._error(f"{name!r} of type {type_} is no number")
        self.names.add(name)
        return lambda columns: columns[name]

    def _call(self, name: str, arguments: list[ast.expr]) -> Evaluate:
        if name == "round" and len(arguments) == 2:
            places = arguments[1]
            if not isinstance(places, ast.Constant) or type(places.value) is not int or not 0 <= places.value <= 9:
                raise self._error("round wants its second argument from 0 to 9")
            value, scale = self.compile(arguments[0]), places.value
            return lambda columns: _round(value(columns), scale)
        if name in ("min", "max") and arguments:
            return self._extreme(np.minimum if name == "min" else np.maximum, arguments)
        if name in _FUNCTIONS and len(arguments) == 1:
            operand, function = self.compile(arguments[0]), _FUNCTIONS[name]
            return lambda columns: function(operand(columns))
        raise self._error(f"{name!r} with {len(arguments)} arguments is no function here")

    def _extreme(self, choose: np.ufunc, arguments: list[ast.expr]) -> Evaluate:
        operands = [self.compile(argument) for argument in arguments]

        def evaluate(columns: Mapping[str, Number]) -> Number:
            result = operands[0](columns)
            for operand in operands[1:]:
                left, right, scale = aligned(result, operand(columns))
                result = Number(choose(left, right), scale)
            return result

        return evaluate

    def _error(self, fact: str) -> Exception:
        return self._scope.impossible(f"in `expression: {self._rule}`, {fact}", _HELP)


def rescaled(number: Number, scale: int) -> Number:
    """The same number with other decimals; halves are rounded away from zero, as PostgreSQL does."""
    assert number.scale is not None
    if scale >= number.scale:
        return _narrowed(Number(_wide(number.data, 10 ** (scale - number.scale)), scale))
    factor = 10 ** (number.scale - scale)
    size = (np.abs(number.data) + factor // 2) // factor
    return Number(np.where(number.data < 0, -size, size), scale)


def aligned(left: Number, right: Number) -> tuple[NDArray[Any], NDArray[Any], int | None]:
    """Both with the same decimals, or both as floats."""
    if left.scale is None or right.scale is None:
        return left.floats(), right.floats(), None
    scale = max(left.scale, right.scale)
    return rescaled(left, scale).data, rescaled(right, scale).data, scale


def _wide(data: NDArray[Any], factor: int) -> NDArray[Any]:
    """``data * factor``, with Python's integers where int64 could overflow."""
    largest = int(np.abs(data).max(initial=0))
    return data * factor if largest * factor < _SAFE else data.astype(object) * factor


def _narrowed(number: Number) -> Number:
    """int64 where Python's integers are no longer needed."""
    if number.data.dtype == object and int(np.abs(number.data).max(initial=0)) < _SAFE:
        return Number(number.data.astype(np.int64), number.scale)
    return number


def _add(left: Number, right: Number) -> Number:
    a, b, scale = aligned(left, right)
    return _narrowed(Number(_wide(a, 1) + _wide(b, 1), scale)) if scale is not None else Number(a + b, None)


def _subtract(left: Number, right: Number) -> Number:
    return _add(left, Number(-right.data, right.scale))


def _multiply(left: Number, right: Number) -> Number:
    if left.scale is None or right.scale is None:
        return Number(left.floats() * right.floats(), None)
    largest = int(np.abs(left.data).max(initial=0)) * int(np.abs(right.data).max(initial=0))
    a = left.data if largest < _SAFE else left.data.astype(object)
    scale = left.scale + right.scale
    product = Number(a * right.data, scale)
    return _narrowed(product if scale <= _DEEPEST_SCALE else rescaled(product, _DEEPEST_SCALE))


def _divide(left: Number, right: Number) -> Number:
    a, b, scale = aligned(left, right)
    if scale is None or not np.all(b):
        return Number(left.floats() / right.floats(), None)
    size, divisor = _wide(np.abs(a), 10**_QUOTIENT_SCALE), np.abs(b)
    size = (size + divisor // 2) // divisor
    return _narrowed(Number(np.where((a < 0) == (b < 0), size, -size), _QUOTIENT_SCALE))


def _floor_divide(left: Number, right: Number) -> Number:
    a, b, scale = aligned(left, right)
    return Number(np.floor(a / b), None) if scale is None or not np.all(b) else Number(a // b, 0)


def _modulo(left: Number, right: Number) -> Number:
    a, b, scale = aligned(left, right)
    return Number(np.mod(a.astype(np.float64), b), None) if scale is None or not np.all(b) else Number(a % b, scale)


def _round(number: Number, scale: int) -> Number:
    if number.scale is None:
        factor = 10.0**scale
        return Number(np.copysign(np.floor(np.abs(number.data) * factor + 0.5) / factor, number.data), None)
    return rescaled(number, min(scale, number.scale))


def _floor(number: Number) -> Number:
    return Number(np.floor(number.data), None) if number.scale is None else Number(number.data // 10**number.scale, 0)


def _ceil(number: Number) -> Number:
    floor = _floor(Number(-number.data, number.scale))
    return Number(-floor.data, floor.scale)


def _abs(number: Number) -> Number:
    return Number(np.abs(number.data), number.scale)


_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mult: _multiply,
    ast.Div: _divide,
    ast.FloorDiv: _floor_divide,
    ast.Mod: _modulo,
}
_FUNCTIONS: dict[str, Callable[[Number], Number]] = {
    "round": lambda number: _round(number, 0),
    "abs": _abs,
    "floor": _floor,
    "ceil": _ceil,
}
