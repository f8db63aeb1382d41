"""How others fill the same tables: loops over Faker and Mimesis, and Snowfakery. Fewer rows, since they take long.

A loop takes from its library every value that the library has a rule for, and the others from `random`.
"""

from __future__ import annotations

import io
import random
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib import import_module
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from psycopg2.extras import execute_values

from benchmarks import foreign, shop
from framework.databases.postgres import ddl
from framework.databases.postgres.names import quote
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.spec.declared import table_of
from framework.tables import Table

Row = tuple[Any, ...]
Insert = Callable[[PostgresSession, Table, Iterable[Row]], int]

_FIRST, _NOW = datetime(2024, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 1, tzinfo=timezone.utc)
_COUNTRIES = OrderedDict(RU=60, KZ=25, NO=15)
_STATUSES = OrderedDict(new=10, paid=70, shipped=15, lost=5)


@dataclass(frozen=True)
class Values:
    """What a library makes one by one."""

    email: Callable[[], str]
    name: Callable[[], str]
    phone: Callable[[], str]
    sentence: Callable[[], str]
    one_of: Callable[[OrderedDict[str, int]], str]
    percent: Callable[[int], bool]
    between: Callable[[datetime, datetime], datetime]


RECIPE = """
- object: customers
  count: {customers}
  fields:
    email: {{fake: email}}
    full_name: {{fake: name}}
    phone: {{fake: phone_number}}
    country: {{random_choice: [RU, KZ, NO]}}
    created_at: {{fake.date_time_between: {{start_date: -2y, end_date: now}}}}
  friends:
    - object: orders
      count: {each}
      fields:
        customer_id: {{reference: customers}}
        status: {{random_choice: [new, paid, shipped, lost]}}
        amount: {{random_number: {{min: 1, max: 5000}}}}
        note: {{fake: sentence}}
        created_at: {{fake.date_time_between: {{start_date: -2y, end_date: now}}}}
"""


def version(name: str) -> str | None:
    """Of a generator, None if it is not installed: Faker is here already, `make bench-peers` brings the others."""
    return installed("faker") if name == "faker" else foreign.version(name)


def faker(url: str, orders: int) -> int:
    """Row by row, sent by execute_values."""
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(1)
    values = Values(
        email=lambda: fake.unique.email(),
        name=fake.name,
        phone=fake.phone_number,
        sentence=fake.sentence,
        one_of=fake.random_element,
        percent=fake.boolean,
        between=lambda first, last: fake.date_time_between(first, last, timezone.utc),
    )
    return _fill(url, orders, values, _values)


def mimesis(url: str, orders: int) -> int:
    """Row by row, sent by COPY."""
    sys.path += foreign.libraries()
    library, locale = import_module("mimesis"), import_module("mimesis.locales").Locale.EN
    person, text = library.Person(locale), library.Text(locale)  # seeded, it makes nothing unique
    values = Values(
        email=lambda: person.email(unique=True),
        name=person.full_name,
        phone=person.phone_number,
        sentence=text.sentence,
        one_of=person.random.weighted_choice,
        percent=lambda share: person.random.random() * 100 < share,
        between=lambda first, last: first + (last - first) * person.random.random(),
    )
    return _fill(url, orders, values, _copy)


def snowfakery(url: str, orders: int) -> int:
    """By its own command, into its own tables: it makes neither keys nor indexes."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "shop.yml"
        each = shop.ORDERS_PER_CUSTOMER
        recipe.write_text(RECIPE.format(customers=orders // each, each=each))
        command = [foreign.program("snowfakery"), str(recipe), "--dburl", url]
        subprocess.run(command, check=True, capture_output=True)
    return orders + orders // each


def _fill(url: str, orders: int, values: Values, insert: Insert) -> int:
    source, rows = PostgresSource("source", url), 0
    tables = {name: table_of(name, entity) for name, entity in shop.task(orders).entities.items()}
    born: list[datetime] = []
    makers = (_customers(orders, values, born), _orders(orders, values, born))
    with source.session() as session, session.transaction():
        for table, made in zip(tables.values(), makers, strict=True):
            ddl.create_table(session, table)
            rows += insert(session, table, made)
            ddl.create_keys(session, table)
        for key in tables["orders"].foreign_keys:
            ddl.create_foreign_key(session, tables["orders"], key, "public")
    source.close()
    return rows


def _customers(orders: int, values: Values, born: list[datetime]) -> Iterator[Row]:
    for number in range(1, orders // shop.ORDERS_PER_CUSTOMER + 1):
        created = values.between(_FIRST, _NOW)
        born.append(created)
        phone = values.phone() if values.percent(90) else None
        updated = values.between(created, min(created + timedelta(days=90), _NOW))
        yield number, values.email(), values.name(), phone, values.one_of(_COUNTRIES), created, updated


def _orders(orders: int, values: Values, born: list[datetime]) -> Iterator[Row]:
    chance = random.Random(1)
    for number in range(1, orders + 1):
        customer = chance.randrange(len(born))
        created = values.between(born[customer], _NOW)
        updated = values.between(created, min(created + timedelta(days=30), _NOW))
        note = values.sentence() if values.percent(20) else None
        amount = round(chance.lognormvariate(3.2, 0.8), 2)
        status, paid = values.one_of(_STATUSES), values.percent(90)
        yield number, customer + 1, status, amount, note, paid, created, updated


def _values(session: PostgresSession, table: Table, rows: Iterable[Row]) -> int:
    counted = 0

    def counting() -> Iterator[Row]:
        nonlocal counted
        for row in rows:
            counted += 1
            yield row

    with session.connection.cursor() as cursor:
        execute_values(cursor, f"INSERT INTO {quote(table.name)} VALUES %s", counting(), page_size=1000)
    return counted


def _copy(session: PostgresSession, table: Table, rows: Iterable[Row]) -> int:
    lines = io.BytesIO()
    for row in rows:
        lines.write("\t".join("\\N" if value is None else str(value) for value in row).encode() + b"\n")
    lines.seek(0)
    return session.copy_in(f"COPY {quote(table.name)} FROM STDIN", lines)


WORK = {"faker": faker, "mimesis": mimesis, "snowfakery": snowfakery}
