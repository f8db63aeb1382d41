"""News of a failure: to a real HTTP server, and to a real SMTP server, on this machine."""

from __future__ import annotations

import asyncio
import gc
import json
import socketserver
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from framework.airflow.notify import Late, Notify
from framework.errors import UsageError
from tests.airflow.hook import served


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client that sends one mail needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.got.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


@pytest.fixture
def mail() -> Iterator[socketserver.TCPServer]:
    yield from served(socketserver.TCPServer(("127.0.0.1", 0), _Mail))


def _spec(directory: Path, notify: str) -> str:
    (directory / "connections.yaml").write_text(f"environments: {{}}\nnotify:\n  ops: {notify}\n")
    return str(directory / "shop.yaml")


CONTEXT: Any = {"dag_run": SimpleNamespace(dag_id="shop"), "run_id": "manual__1", "reason": "task_failure"}


def test_a_failed_run_goes_to_the_webhook(hook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", f"http://127.0.0.1:{hook.server_port}/secret")
    Notify("ops", _spec(tmp_path, '{webhook: "${OPS}"}')).notify(CONTEXT)
    ((path, news),) = hook.got
    assert path == "/secret"
    assert news["pipeline"] == "shop"
    assert news["text"] == "shop: run manual__1 failed (task_failure)"


def test_a_webhook_that_fails_is_told_without_its_address(
    hook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", f"http://127.0.0.1:{hook.server_port}/broken")
    with pytest.raises(RuntimeError, match="did not take the news") as failed:
        Notify("ops", _spec(tmp_path, '{webhook: "${OPS}"}')).notify(CONTEXT)
    assert "/broken" not in str(failed.value)


# Airflow's hook leaves its connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_failed_run_goes_to_a_mailbox(mail: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = mail.server_address[1]
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "vitrina@example.com"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps(smtp))
    Notify("ops", _spec(tmp_path, "{email: {to: [ops@example.com], connection: mail}}")).notify(CONTEXT)
    gc.collect()
    (message,) = mail.got
    assert "Subject: vitrina: shop: run manual__1 failed" in message
    assert "To: ops@example.com" in message


def test_a_run_that_is_late_is_told(hook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", f"http://127.0.0.1:{hook.server_port}/")
    late = Late("shop", "6h", "ops", _spec(tmp_path, '{webhook: "${OPS}"}'))
    asyncio.run(late.async_notify({}))
    assert "older than 6h" in hook.got[0][1]["text"]


def test_who_is_not_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is known of 'dev'"):
        Notify("dev", _spec(tmp_path, "{webhook: http://x}")).notify(CONTEXT)


def test_a_webhook_whose_variable_is_not_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="OPS_IS_NOT_SET"):
        Notify("ops", _spec(tmp_path, '{webhook: "${OPS_IS_NOT_SET}"}')).notify(CONTEXT)
