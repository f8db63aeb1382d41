"""Processes of their own that begin to work at once: they are forked from one that has imported what takes long."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.preload"])


def start(work: Callable[..., Any], *arguments: Any) -> BaseProcess:
    """A process that does some work; it does not outlive this one."""
    process = _PROCESSES.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process
