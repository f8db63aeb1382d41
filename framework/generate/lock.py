"""Where the values that were drawn from Faker are kept, beside a spec. Without numpy and Faker."""

from __future__ import annotations

from pathlib import Path


def lock_file(spec: Path) -> Path:
    """The lock file of a spec."""
    return spec.with_suffix(".pools.json")
