"""`health.py PART`: whether a part of Airflow is alive, as the API server sees it.

Airflow's own `airflow jobs check` imports all of Airflow, ten seconds of CPU each time; this asks over HTTP.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request

URL = "http://127.0.0.1:8080"


def main(part: str) -> int:
    """0 if the part is healthy, else 1."""
    url = os.environ.get("AIRFLOW_API_URL", URL) + "/api/v2/monitor/health"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the URL is ours
            found = json.load(answer)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    status = found.get(part, {}).get("status")
    sys.stdout.write(f"{part}: {status}\n")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
