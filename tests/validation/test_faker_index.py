"""What the checks know of Faker is what the installed Faker offers."""

from __future__ import annotations

import subprocess
import sys
import warnings

from framework.validation.rules import faker_index

HEAVY = ("faker", "numpy", "pandas", "sqlalchemy", "psycopg2", "pymysql", "duckdb", "rich")


def test_the_file_is_fresh():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Faker's own, about locales that got another name
        assert faker_index.FILE.read_text(encoding="utf-8") == faker_index.text(), "run `make generated`"


def test_checking_a_spec_imports_nothing_heavy():
    script = (
        "import sys; from pathlib import Path; "
        "from framework.validation.validate import validate; "
        "assert not validate([Path('specs/shop.yaml')]).problems; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
