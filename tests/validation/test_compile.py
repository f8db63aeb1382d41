"""What validate passes, nothing behind it refuses: not the plan, not the mapping, not the generator, not the target."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.databases.mysql.columns import native_types
from framework.diagnostics import only_errors
from framework.generate.rules.dataset import check_parents, compile_table, reference_order, row_count
from framework.plan import Kind, compile_plan
from framework.replicate.mapping import PLAN_MASK_KEY, resolve
from framework.spec.declared import table_of
from framework.spec.entities import GenerateTask
from framework.spec.load import Loaded, parse_spec
from framework.validation.check import check
from framework.validation.rules import RULES
from framework.validation.rules.lookup import source_of

NOW = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp() * 1_000_000)
TYPES = st.sampled_from(
    [
        *("smallint", "int", "bigint", "numeric(4,2)", "numeric(12,2)", "numeric", "real", "double precision"),
        *("text", "varchar(3)", "varchar(40)", "char(2)", "date", "timestamp", "timestamptz", "time", "boolean"),
        *("uuid", "jsonb", "bytea", "int[]", "text[]", "varchar(2)[]", "interval", "inet", "numeric(70,2)"),
    ]
)
NUMBERS = st.sampled_from([0, 1, 3, 9, 99, 300, 32767, 32768, 2**31, 2**62, -1, -40000])
NAMES = st.sampled_from(["a", "b", "c", "id", "nobody"])
LEAVES = st.one_of(
    st.sampled_from(["sequence", "uuid", "email", "name", "pyint", "boolean", "ean13", "emial", "date_of_birth"]),
    st.builds(lambda a, b: {"integer": {"min": a, "max": b}}, NUMBERS, NUMBERS),
    st.builds(lambda a: {"sequence": {"start": a}}, NUMBERS),
    st.builds(lambda a, s: {"sequence": {"start": a, "step": s}}, NUMBERS, st.sampled_from([1, 7, 1000])),
    st.builds(lambda m, s: {"normal": {"mean": m, "sigma": s}}, NUMBERS, st.sampled_from([0.5, 10.0])),
    st.builds(lambda m, s: {"lognormal": {"mean": m, "sigma": s}}, NUMBERS, st.sampled_from([0.5, 10.0])),
    st.builds(lambda m: {"zipf": {"max": max(m, 1)}}, NUMBERS),
    st.builds(lambda v: {"choice": v}, st.lists(st.sampled_from(["a", "abc", 1, 2.5, True, "2024-01-31"]), min_size=1)),
    st.builds(lambda v: {"choice": v}, st.sampled_from([{"1": 0, "2": 0}, {"x": 1, "y": 2}, {"NO": 1}])),
    st.builds(lambda v: {"constant": v}, st.sampled_from([1, 1.5, "x", "abcd", True, "12:30", "2024-02-30"])),
    st.builds(lambda v: {"pattern": v}, st.sampled_from(["#", "##", "??", "AB-####", "#?#?#?#?"])),
    st.builds(lambda v: {"persona": v}, st.sampled_from(["gender", "full_name", "email", "phone", "postcode"])),
    st.builds(
        lambda v: {"template": v}, st.sampled_from(["{a}", "{a}-{b}", "{id}", "x{id}", "{a:5}", "{", "{nobody}"])
    ),
    st.builds(
        lambda v: {"expression": v}, st.sampled_from(["a + 1", "a * b", "id", "max(a, b)", "nobody", "a +", "1j"])
    ),
    st.builds(
        lambda k, a, b: {k: {"from": a, "to": b}},
        st.sampled_from(["date", "datetime"]),
        st.sampled_from(["-1y", "2020-01-01", "2020-02-30"]),
        st.sampled_from(["now", "2020-01-02", "-2y"]),
    ),
    st.builds(lambda k, c: {k: {"column": c, "within": "9d"}}, st.sampled_from(["after", "before"]), NAMES),
    st.builds(lambda c: {"after": {"column": f"p.{c}", "within": "9d"}}, NAMES),
)
FAKES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda of, low, high: {"array": {"of": of, "min": low, "max": high}}, inner, *[st.integers(0, 3)] * 2
        ),
        st.builds(lambda a, b: {"json": {"k": a, "l": b}}, inner, inner),
    ),
    max_leaves=3,
)
RIGHT = st.sampled_from(
    [
        {"type": "bigint", "fake": "sequence"},
        {"type": "int", "fake": {"integer": {"min": 1, "max": 9}}},
        {"type": "numeric(12,2)", "fake": {"normal": {"mean": 5, "sigma": 2}}, "nulls": "5%"},
        {"type": "varchar(40)", "fake": {"pattern": "AB-####"}, "unique": True},
        {"type": "uuid", "fake": "uuid"},
        {"type": "varchar(80)", "fake": {"persona": "email"}, "unique": True},
        {"type": "timestamptz", "fake": {"datetime": {"from": "-1y", "to": "now"}}, "index": True},
        {"type": "boolean", "fake": {"choice": [True, False]}},
        {"type": "text", "nullable": True},
        {"type": "jsonb", "fake": {"json": {"k": {"choice": ["x", 1]}}}},
        {"type": "text[]", "fake": {"array": {"of": {"pattern": "##"}, "max": 2}}},
        {"type": "bigint", "references": {"table": "p", "column": "id"}},
    ]
)
ANY = st.fixed_dictionaries(
    {"type": TYPES},
    optional={
        "fake": FAKES,
        "nulls": st.sampled_from(["5%", "100%"]),
        "nullable": st.booleans(),
        "unique": st.booleans(),
        "index": st.booleans(),
        "primary_key": st.booleans(),
        "references": st.builds(
            lambda t, c: {"table": t, "column": c}, st.sampled_from(["p", "t", "q"]), st.sampled_from(["id", "a"])
        ),
    },
)
COLUMNS = st.one_of(RIGHT, RIGHT, RIGHT, ANY)
ENTITIES = st.fixed_dictionaries(
    {"columns": st.dictionaries(st.sampled_from(["a", "b", "c"]), COLUMNS, min_size=1)},
    optional={
        "rows": st.one_of(st.sampled_from([0, 1, 20, 200]), st.just({"per": "a", "mean": 3})),
        "unique": st.lists(st.lists(NAMES, min_size=1, max_size=2), max_size=1),
        "changes": st.builds(
            lambda touch, redraw: {"touch": touch, "insert": 1, "update": {"rows": 2, "redraw": redraw}},
            NAMES,
            st.lists(NAMES, min_size=1, max_size=2),
        ),
    },
)
REPLICATE = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["full", "incremental"]),
        "cursor": NAMES,
        "key": st.lists(NAMES, min_size=1, max_size=2),
        "only": st.lists(NAMES, min_size=1, max_size=2),
        "except": st.lists(NAMES, min_size=1, max_size=2),
        "indexes": st.lists(st.lists(NAMES, min_size=1, max_size=2), max_size=2),
        "columns": st.dictionaries(
            st.sampled_from(["a", "x", "y"]),
            st.one_of(
                NAMES, st.builds(lambda c: {"from": c, "mask": "hmac"}, NAMES), st.just({"sql": "a", "type": "text"})
            ),
            max_size=2,
        ),
    },
)
MARTS = st.sampled_from(
    [
        "SELECT a FROM t",
        "SELECT a, COUNT(*) AS n FROM t GROUP BY a",
        "SELECT * FROM t JOIN p ON t.a = p.a",
        "SELECT m.a FROM m",
        "SELECT FROM",
        "SELECT a FROM n",
    ]
)
KEY = {"type": "bigint", "primary_key": True, "fake": "sequence"}


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A spec of two tables, one of which may refer to the other: often wrong, sometimes right."""
    parent: dict[str, Any] = draw(ENTITIES)
    child: dict[str, Any] = draw(ENTITIES)
    for entity in (parent, child):
        if draw(st.integers(0, 5)):
            entity["columns"]["id"] = KEY
    data: dict[str, Any] = {
        "version": 1,
        "pipeline": "p",
        "source": "s",
        "target": "t",
        "entities": {"p": parent, "t": child},
        "replicate": {"t": draw(REPLICATE), **({"p": draw(REPLICATE)} if draw(st.booleans()) else {})},
        "marts": {name: {"query": draw(MARTS)} for name in draw(st.sets(st.sampled_from(["m", "n"])))},
    }
    return yaml.safe_dump(data, sort_keys=False)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_what_validate_passes_compiles(text: str):
    loaded = parse_spec(text, Path("spec.yaml"), {})
    if loaded.spec is not None and not only_errors(check(loaded, RULES)):
        compiles(loaded)


def compiles(loaded: Loaded) -> None:
    spec = loaded.spec
    assert spec is not None
    plan = compile_plan(spec, 1)
    for step in plan.steps:
        if step.kind is Kind.GENERATE:
            _generates(GenerateTask.model_validate(step.arguments["task"]))
    for table in spec.replicate:
        found = source_of(spec, table)
        if found is not None:
            mapping = resolve(spec.replicate_task(table), table_of(*found), PLAN_MASK_KEY)
            native_types(mapping.table(table))


def _generates(task: GenerateTask) -> None:
    counts: dict[str, int] = {}
    for name in reference_order(task.entities):
        # What is not filled has the rows that are there.
        counts[name] = row_count(task.entities[name], counts) if task.entities[name].rows is not None else 10
        if task.entities[name].rows is not None:
            check_parents(compile_table(task, name, counts[name], NOW), counts)
