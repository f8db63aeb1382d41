"""`python -m framework.airflow.make_pools SPECS`: makes the pools of a directory of specs."""

from __future__ import annotations

import sys
from pathlib import Path

from framework.airflow.pools import make

if __name__ == "__main__":
    count = make(Path(sys.argv[1]))
    sys.stdout.write(f"{count} pool{'s' if count != 1 else ''}\n")
