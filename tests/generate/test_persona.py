"""The parts of a person agree within a row; what is made of names never repeats."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from framework.errors import RuleImpossible
from framework.events import Reporter
from framework.generate.columns import text
from framework.generate.filling import fill
from framework.generate.rules.batch import Drawn, Recomputed
from framework.generate.rules.dataset import compile_table
from framework.generate.rules.drawn import Pools
from framework.generate.rules.rule import REDRAWN
from framework.generate.ticks.changes import tick
from tests.generate.conftest import one_table, task

REPORTER = Reporter("generate")
POOLS = Pools()
PARTS = (
    "gender",
    "first_name",
    "last_name",
    "full_name",
    "user_name",
    "email",
    "phone",
    "street",
    "city",
    "postcode",
    "address",
)


def people(rows: Any, locale: str = "en_US", **more: Any) -> list[dict[str, str]]:
    """The parts of some rows, without a database."""
    columns: Any = {part: {"type": "text", "fake": {"persona": part}} for part in PARTS}
    rules = compile_table(one_table(10, locale=locale, **columns, **more), "t", 10, 0, POOLS)
    nobody: Any = None
    batch = Drawn(rules, np.asarray(rows), Recomputed({"t": rules}, nobody))
    found = {part: [v.decode() for v in text.to_bytes(batch.column(part).text)] for part in PARTS}
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


@pytest.mark.parametrize("locale", ["en_US", "ru_RU", "de_DE", "zh_CN"])
def test_the_parts_of_a_row_agree(locale):
    cities: dict[str, str] = {}
    for person in people(np.arange(2000), locale):
        words = {person["first_name"], person["last_name"]}
        assert all(word in person["full_name"] for word in words)
        assert re.fullmatch(r"[a-z]+\.[a-z]+", person["user_name"])
        assert person["email"].partition("@")[0] == person["user_name"]
        assert sum(sign.isdigit() for sign in person["phone"]) >= 7
        assert person["address"] == f"{person['street']}, {person['city']}, {person['postcode']}"
        assert cities.setdefault(person["city"], person["postcode"]) == person["postcode"]


def test_names_fit_the_gender():
    found = people(np.arange(5000), "ru_RU")
    assert 0.45 < sum(person["gender"] == "female" for person in found) / len(found) < 0.55
    women = {person["last_name"] for person in found if person["gender"] == "female"}
    men = {person["last_name"] for person in found if person["gender"] == "male"}
    assert sum(name.endswith("\u0430") for name in women) > 0.9 * len(women)
    assert not any(name.endswith("ва") for name in men)


def test_nothing_repeats_beyond_all_pairs_and_in_ticks():
    rows = np.concatenate([np.arange(0, 3_000_000, 97), 5 * REDRAWN + np.arange(2000), 6 * REDRAWN + np.arange(2000)])
    found = people(rows, "zh_CN")
    assert len({person["email"] for person in found}) == len({person["user_name"] for person in found}) == len(rows)


def test_a_tick_makes_another_person(source, postgres):
    columns: Any = {
        part: {"type": "varchar(200)", "fake": {"persona": part}} for part in ("full_name", "email", "city")
    }
    columns["email"]["unique"] = True
    key = {"type": "bigint", "primary_key": True, "fake": "sequence"}
    changes = {"update": {"rows": 20, "redraw": ["full_name"]}}
    spec = task({"t": {"rows": 200, "columns": {"id": key, **columns}, "changes": changes}})
    fill(postgres, spec, REPORTER, pools=POOLS)
    before = dict(source.rows("SELECT id, email FROM t"))
    tick(postgres, spec, 1, REPORTER, POOLS)
    changed = [row for row in source.rows("SELECT id, email, full_name FROM t") if before[row[0]] != row[1]]
    assert len(changed) == 20
    for _, email, name in changed:
        assert email.partition(".t1@")[0] == re.sub(r"[^a-z.]", "", name.lower().replace(" ", "."))


@pytest.mark.parametrize(
    ("column", "fact"),
    [
        ({"type": "int", "fake": {"persona": "gender"}}, "makes no values of type"),
        ({"type": "text", "unique": True, "fake": {"persona": "full_name"}}, "no value repeats"),
        ({"type": "varchar(60)", "unique": True, "fake": {"persona": "email"}}, "80 characters"),
        ({"type": "text[]", "fake": {"array": {"of": {"persona": "city"}, "max": 2}}}, "no person"),
    ],
)
def test_what_cannot_be_is_refused(column, fact):
    with pytest.raises(RuleImpossible, match=fact):
        compile_table(one_table(10, v=column), "t", 10, 0, POOLS)
