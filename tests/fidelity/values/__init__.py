"""The table of values: every built-in type of PostgreSQL, and types made of them, with the hardest values they have.

A type is one `Case`. `test_values.py` asks the server for its types and demands that none is missing here.
"""

from __future__ import annotations

from tests.fidelity.values.case import Case, Outside, quoted
from tests.fidelity.values.documents import DOCUMENTS
from tests.fidelity.values.extensions import EXTENSIONS
from tests.fidelity.values.moments import MOMENTS
from tests.fidelity.values.numbers import NUMBERS
from tests.fidelity.values.shapes import SHAPES
from tests.fidelity.values.system import SYSTEM
from tests.fidelity.values.texts import TEXTS

FAMILIES: dict[str, tuple[Case, ...]] = {
    "numbers": NUMBERS,
    "texts": TEXTS,
    "moments": MOMENTS,
    "documents": DOCUMENTS,
    "system": SYSTEM,
    "shapes": SHAPES,
    "extensions": EXTENSIONS,
}

CASES: tuple[Case, ...] = tuple(case for family in FAMILIES.values() for case in family)

__all__ = ["CASES", "FAMILIES", "Case", "Outside", "quoted"]
