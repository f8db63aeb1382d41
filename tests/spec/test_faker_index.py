"""What the checks know of Faker is what the installed Faker offers."""

from __future__ import annotations

import subprocess
import sys
import warnings

from framework.spec.checks import faker_index


def test_the_file_is_fresh():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Faker's own, about locales that got another name
        assert faker_index.FILE.read_text(encoding="utf-8") == faker_index.text(), "run `make schema`"


def test_checking_a_spec_imports_nothing_heavy():
    script = (
        "import sys; from pathlib import Path; from framework.rules import MART_RULES; "
        "from framework.spec.validate import load_checked; "
        "spec, problems = load_checked(Path('specs/shop.yaml'), more=MART_RULES); assert spec and not problems; "
        "print([name for name in ('faker', 'numpy', 'pandas', 'polars', 'pyarrow', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
