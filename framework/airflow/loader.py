"""From a directory of specs to DAGs. A broken spec becomes none, and disturbs no other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from framework.airflow.factory import build
from framework.diagnostics import source_lines
from framework.errors import SpecInvalid, UsageError, VitrinaError
from framework.outputs.text import render_all
from framework.spec.connections import FILE, check_connections, load_connections
from framework.spec.models import Spec
from framework.validation.files import specs_below
from framework.validation.validate import load_sound

VARIABLE = "VITRINA_SPECS"
"""Names the directory of the specs, where it is not the one beside the DAGs folder."""


class BrokenSpecs(Exception):
    """Specs that became no DAG, each with its file, line, column and what to do."""


@dataclass(frozen=True)
class Found:
    """One file: its DAG, or what is wrong with it."""

    path: Path
    dag: DAG | None
    problem: str = ""


def specs_directory(beside: str) -> Path:
    """Where the specs of a DAGs folder are; ``beside`` is a file in that folder."""
    return Path(os.environ.get(VARIABLE) or Path(beside).resolve().parent.parent / "specs")


def load_dags(directory: Path) -> dict[str, DAG]:
    """The DAGs of all sound specs; in a task, only the one it belongs to."""
    wanted = get_parsing_context().dag_id
    if wanted is not None and (likely := _dags(_found(directory, wanted), wanted)):
        return likely
    return _dags(_found(directory, None), wanted)


def require_sound(directory: Path) -> None:
    """Raises BrokenSpecs if a spec has problems."""
    if get_parsing_context().dag_id is not None:
        return
    problems = [*_connection_problems(directory)]
    problems += [found.problem for found in _found(directory, None) if found.dag is None]
    if problems:
        raise BrokenSpecs("\n\n" + "\n\n".join(problems))


def dag_of(path: Path, among: Path | None = None) -> DAG:
    """The DAG of one spec.

    Raises:
        BrokenSpecs: it has problems, or an earlier one in the directory ``among`` has its name.
    """
    found = _read(path)
    if found.dag is not None and among is not None:
        found = next((one for one in _found(among, found.dag.dag_id) if one.path == path), found)
    if found.dag is None:
        raise BrokenSpecs(f"\n\n{found.problem}")
    return found.dag


def _dags(found: Iterable[Found], wanted: str | None) -> dict[str, DAG]:
    return {one.dag.dag_id: one.dag for one in found if one.dag is not None and wanted in (None, one.dag.dag_id)}


def _connection_problems(directory: Path) -> Iterator[str]:
    """A broken connections file stops no DAG, since Airflow may know the connections; but its pools are lost."""
    for path in specs_below(directory):
        if path.name == FILE:
            with suppress(UsageError):  # it has gone in the meantime
                yield from render_all(check_connections(load_connections(path)))


def _found(directory: Path, naming: str | None) -> Iterator[Found]:
    """Every file; with ``naming``, only those in which this text stands."""
    pipelines: dict[str, Path] = {}
    for path in specs_below(directory):
        if path.name == FILE or (naming is not None and not _names(path, naming)):
            continue
        found = _read(path)
        if found.dag is not None and (first := pipelines.setdefault(found.dag.dag_id, path)) != path:
            problem = f"{path}: the pipeline {found.dag.dag_id!r} is in {first} already\n  fix: give it another name"
            found = Found(path, None, problem)
        yield found


def _names(path: Path, text: str) -> bool:
    return any(text in line for line in source_lines(path))


def _read(path: Path) -> Found:
    try:
        dag = _dag(load_sound(path, connections_elsewhere=True), path)
        # Airflow would refuse the whole file for it.
        dag.validate()  # type: ignore[no-untyped-call]
    except SpecInvalid as error:
        return Found(path, None, "\n\n".join(render_all(error.problems)))
    except VitrinaError as error:
        return Found(path, None, f"{path}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one spec must not reach the others
        return Found(path, None, f"{path}: Airflow takes no such DAG: {type(error).__name__}: {error}")
    return Found(path, dag)


def _dag(spec: Spec, path: Path) -> DAG:
    beside = path.parent / FILE
    connections = load_connections(beside).content if beside.is_file() else None
    return build(spec, path, "\n".join(source_lines(path)), connections)
