"""Airflow's REST interface, as a user of it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar("Found")
ENDED = ("success", "failed")


class Rest:
    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._token = ""
        self._token = self("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        prefix = "" if path.startswith("/auth") else "/api/v2"
        request = urllib.request.Request(f"{self._url}{prefix}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def dags(self) -> dict[str, Any]:
        return {dag["dag_id"]: dag for dag in self("GET", "/dags?limit=100")["dags"]}

    def import_errors(self) -> list[dict[str, Any]]:
        return list(self("GET", "/importErrors")["import_errors"])

    def unpause(self, dag: str) -> None:
        self("PATCH", f"/dags/{dag}", {"is_paused": False})

    def trigger(self, dag: str, **conf: Any) -> str:
        run = self("POST", f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def state(self, dag: str, run: str) -> str:
        return str(self("GET", f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}")["state"])

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances?limit=1000"
        return list(self("GET", path)["task_instances"])

    def states(self, dag: str, run: str) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in self.tasks(dag, run)}

    def log(self, dag: str, run: str, task: str, attempt: int = 1, part: int = -1) -> str:
        """All of a task's log, as text."""
        path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances/{task}/logs/{attempt}?map_index={part}"
        content = self("GET", f"{path}&full_content=true")["content"]
        return "\n".join(json.dumps(line) if isinstance(line, dict) else str(line) for line in content)

    def run(self, dag: str, expect: str = "success", seconds: float = 300, **conf: Any) -> str:
        """Trigger a DAG, and wait for the end of the run."""
        run = self.trigger(dag, **conf)
        self.wait_for_run(dag, run, expect, seconds)
        return run

    def wait_for_run(self, dag: str, run: str, expect: str = "success", seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while (state := self.state(dag, run)) not in ENDED and time.monotonic() < deadline:
            time.sleep(0.5)
        assert state == expect, self.failures(dag, run)

    def failures(self, dag: str, run: str) -> str:
        said = []
        for task in self.tasks(dag, run):
            said.append(f"{task['task_id']} [{task['map_index']}]: {task['state']}")
            if task["state"] == "failed":
                said.append(self.log(dag, run, task["task_id"], task["try_number"], task["map_index"])[-3000:])
        return "\n".join(said)


def wait(look: Callable[[], Found | bool], seconds: float = 60, every: float = 0.5) -> Found:
    """What ``look`` returns as soon as it is true; an error that it raises counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found  # type: ignore[return-value]
        assert time.monotonic() < deadline, f"nothing after {seconds} s: {found!r}"
        time.sleep(every)
