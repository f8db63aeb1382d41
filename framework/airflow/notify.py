"""Who hears of a failure: a webhook or a mailbox that connections.yaml names."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseNotifier, Context, conf

from framework.errors import SpecInvalid, UsageError
from framework.spec.connections import FILE, Email, load_connections, webhook

SECONDS = 10
"""Until a webhook that does not answer is given up."""


class Notify(BaseNotifier):
    """Tells of a failed run.

    Args:
        name: an entry of `notify` in connections.yaml.
        spec: the path of the spec, beside which that file is.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, name: str, spec: str) -> None:
        super().__init__()
        self.name = name
        self.spec = spec

    def notify(self, context: Context) -> None:
        """Send the news of a run."""
        send(self.name, Path(self.spec), _news(context))


class Late(BaseNotifier):
    """Tells of a run that has missed its deadline, in Airflow's triggerer."""

    template_fields: Sequence[str] = ()

    def __init__(
        self, pipeline: str, limit: str, notify: str | None, spec: str, context: Context | None = None
    ) -> None:
        super().__init__(context=context)
        self.pipeline = pipeline
        self.limit = limit
        self.told = notify
        self.spec = spec

    async def async_notify(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Send the news; without anybody to tell, they are in the triggerer's log."""
        text = f"{self.pipeline}: a run is not done, and the copy is older than {self.limit}"
        self.log.error("%s", text)
        if self.told is not None:
            send(self.told, Path(self.spec), {"pipeline": self.pipeline, "status": "late", "text": text})


def send(name: str, spec: Path, news: dict[str, Any]) -> None:
    """Send ``news`` to the webhook or the mailbox ``name``. Raises UsageError if it is not known."""
    file = spec.parent / FILE
    content = load_connections(file).content if file.is_file() else None
    known = content.notify.get(name) if content else None
    if known is None:
        raise UsageError(f"nothing is known of {name!r}", f"add it to `notify` in {file}")
    if known.email is not None:
        _mail(known.email, news)
    else:
        _post(_address(name, spec), news)


def _address(name: str, spec: Path) -> str:
    try:
        return webhook(name, spec.parent, os.environ)
    except SpecInvalid as error:
        fact = f"the webhook {name!r} has no address: {'; '.join(problem.message for problem in error.problems)}"
        raise UsageError(fact, "set the variable for the DAG processor and the triggerer") from None


def _news(context: Any) -> dict[str, Any]:
    run = context.get("dag_run")
    pipeline, run_id = str(run.dag_id if run else ""), str(context.get("run_id") or (run.run_id if run else ""))
    reason = str(context.get("reason") or "")
    return {
        "pipeline": pipeline,
        "run_id": run_id,
        "status": "failed",
        "reason": reason,
        "url": f"{conf.get('api', 'base_url', fallback='')}/dags/{quote(pipeline)}/runs/{quote(run_id)}",
        # What chat systems show.
        "text": f"{pipeline}: run {run_id} failed" + (f" ({reason})" if reason else ""),
    }


def _post(url: str, news: dict[str, Any]) -> None:
    if not url.startswith(("http://", "https://")):
        raise UsageError("the URL of a webhook begins with http:// or https://", f"correct it in {FILE}")
    headers = {"Content-Type": "application/json"}
    try:
        request = urllib.request.Request(url, json.dumps(news).encode(), headers)  # noqa: S310 - the scheme is checked
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"the webhook did not take the news: HTTP {error.code}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Messages name the address, whose path is its secret.
        raise RuntimeError(f"the webhook did not take the news: {type(error).__name__}") from None


def _mail(email: Email, news: dict[str, Any]) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    lines = [f"{key}: {value}" for key, value in news.items() if key != "text" and value]
    with SmtpHook(smtp_conn_id=email.connection) as hook:
        hook.send_email_smtp(
            to=list(email.to),
            from_email=email.sender,
            subject=f"vitrina: {news['text']}"[:200],
            html_content="<pre>" + "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;") + "</pre>",
        )
