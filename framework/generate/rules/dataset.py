"""The rules of all tables of a task, checked and ready to draw from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from framework.errors import RuleImpossible
from framework.generate.columns import convert, text
from framework.generate.columns.scalars import supported
from framework.generate.columns.streams import Stream
from framework.generate.columns.values import Vector
from framework.generate.rules import coerce, documents, drawn, expression, moments, numbers, persona, pools, texts
from framework.generate.rules.batch import TableRules
from framework.generate.rules.relations import Relation
from framework.generate.rules.rule import Maker, Rule, Scope
from framework.spec.declared import table_of
from framework.spec.entities import Entity, EntityColumn, GenerateTask, RowsPer
from framework.spec.fake import Fake
from framework.tables import Table
from framework.types import LogicalType

MAKERS: Mapping[str, Maker] = {
    "sequence": numbers.sequence,
    "integer": numbers.integer,
    "normal": numbers.normal,
    "lognormal": numbers.lognormal,
    "zipf": numbers.zipf,
    "date": moments.date,
    "datetime": moments.datetime,
    "after": moments.after,
    "before": moments.before,
    "uuid": texts.uuid,
    "pattern": texts.pattern,
    "template": texts.template,
    "faker": pools.faker,
    "persona": persona.persona,
    "choice": pools.choice,
    "constant": pools.constant,
    "json_": documents.document,
    "array": documents.array,
    "expression": expression.expression,
}


def make_rule(scope: Scope, rule: Fake, type_: LogicalType) -> Rule:
    """The rule that a spec's `fake:` means."""
    return MAKERS[rule.kind](scope, rule.value, type_)


def reference_order(entities: Mapping[str, Entity]) -> tuple[str, ...]:
    """The tables, every one behind those it refers to.

    Raises:
        RuleImpossible: tables refer to each other in a circle.
    """
    ordered: list[str] = []
    waiting = dict(entities)
    while waiting:
        ready = [name for name, entity in waiting.items() if not _parents_of(name, entity) & waiting.keys()]
        if not ready:
            name = next(iter(waiting))
            column = next(
                c for c, of in waiting[name].columns.items() if of.references and of.references.table in waiting
            )
            raise RuleImpossible(
                name, column, f"{', '.join(waiting)} refer to each other in a circle", "take one reference out"
            )
        ordered += ready
        for name in ready:
            del waiting[name]
    return tuple(ordered)


def _parents_of(name: str, entity: Entity) -> set[str]:
    return {column.references.table for column in entity.columns.values() if column.references} - {name}


def row_count(entity: Entity, counts: Mapping[str, int]) -> int:
    """The rows of a fill, given those of the tables it refers to."""
    if isinstance(entity.rows, RowsPer):
        reference = entity.columns[entity.rows.per].references
        return round(counts[reference.table] * entity.rows.mean) if reference else 0
    return entity.rows or 0


def compile_table(
    task: GenerateTask,
    name: str,
    count: int,
    now: int,
    pools: drawn.Pools | None = None,
    *,
    only: Collection[str] | None = None,
) -> TableRules:
    """The rules of one table; values of Faker are those of ``pools``. ``only``: the columns that are needed.

    Raises:
        RuleImpossible: a column cannot be filled as the spec says.
    """
    entity = task.entities[name]
    table = table_of(name, entity)
    pools = pools or drawn.shared()
    scopes = {column.name: _scope(task, name, table, column.name, count, now, pools) for column in table.columns}
    relations = dict(_relations(task, name, entity))
    rules = {
        column.name: _rule(scopes[column.name], entity.columns[column.name], column.type, entity)
        for column in table.columns
        if column.name not in relations and (only is None or column.name in only)
    }
    compiled = TableRules(name, entity, table, count, rules, relations, scopes, _schemas(task))
    if only is None:
        _check_reads(compiled)
        _check_keys(compiled)
    return compiled


def check_parents(rules: TableRules, counts: Mapping[str, int]) -> None:
    """Raises RuleImpossible where a table refers to one of the given row counts that has too few."""
    for column, relation in rules.relations.items():
        if rules.count and relation.parent in counts and not relation.own:
            relation.places(rules.scopes[column], counts[relation.parent])


def _schemas(task: GenerateTask) -> dict[str, str]:
    return {name: entity.schema_ for name, entity in task.entities.items()}


def _scope(task: GenerateTask, name: str, table: Table, column: str, count: int, now: int, pools: drawn.Pools) -> Scope:
    entity = task.entities[name]
    distinct = {c for c, of in entity.columns.items() if of.unique or entity.key == (c,)}
    distinct |= {names[0] for names in entity.unique if len(names) == 1}
    return Scope(
        table=name,
        column=column,
        types={c.name: c.type for c in table.columns},
        parents={
            of.references.table: (c, {p.name: p.type for p in table_of("", task.entities[of.references.table]).columns})
            for c, of in entity.columns.items()
            if of.references is not None and of.references.table in task.entities
        },
        stream=Stream(task.seed, name, column),
        unique=column in distinct,
        distinct=frozenset(distinct),
        count=count,
        now=now,
        locale=task.locale,
        make=make_rule,
        pools=pools,
    )


def _rule(scope: Scope, column: EntityColumn, type_: LogicalType, entity: Entity) -> Rule:
    if not supported(type_) and (column.fake is not None or not column.may_be_null):
        raise scope.impossible(
            f"values of type {column.type} cannot be made",
            "use another type, let the column be NULL, or take `rows` from the table",
        )
    if column.nulls is not None and scope.column in entity.key:
        raise scope.impossible("it belongs to the primary key and has `nulls`", "take `nulls` away")
    if column.fake is not None:
        return make_rule(scope, column.fake, type_)
    if entity.changes is not None and entity.changes.touch == scope.column:
        convert = coerce.moments(scope, "touch", type_, 1)
        return Rule(lambda _, rows: convert(np.full(len(rows), scope.now, dtype=np.int64)))
    if not column.may_be_null:
        raise scope.impossible("it has no rule", "give it `fake:`, `references:`, or `nullable: true`")
    return Rule(lambda _, rows: _all_null(type_, len(rows)))


def _all_null(type_: LogicalType, count: int) -> Vector:
    if not supported(type_):
        return Vector(text.constant(b"", count), np.ones(count, dtype=np.bool_))
    return convert.vector_of(type_, [None]).take(np.zeros(count, dtype=np.int64))


def _relations(task: GenerateTask, name: str, entity: Entity) -> Iterator[tuple[str, Relation]]:
    for column, of in entity.columns.items():
        if of.references is None:
            continue
        per = isinstance(entity.rows, RowsPer) and entity.rows.per == column
        skew = entity.rows.skew if isinstance(entity.rows, RowsPer) and per else of.references.skew
        relation = Relation(
            column=column,
            parent=of.references.table,
            parent_column=of.references.column,
            skew=skew,
            per=per,
            unique=of.unique or entity.key == (column,),
            own=of.references.table == name,
        )
        _check_relation(task, name, of, relation)
        yield column, relation


def _check_relation(task: GenerateTask, name: str, column: EntityColumn, relation: Relation) -> None:
    def impossible(reason: str, fix: str) -> RuleImpossible:
        return RuleImpossible(name, relation.column, reason, fix)

    parent = task.entities.get(relation.parent)
    if parent is None or relation.parent_column not in parent.columns:
        raise impossible(
            f"there is no entity {relation.parent!r} with a column {relation.parent_column!r}",
            "correct `references:`, or describe that table under `entities`",
        )
    referred = parent.columns[relation.parent_column]
    keys = (*parent.unique, parent.key)
    if not referred.unique and (relation.parent_column,) not in keys:
        raise impossible(
            f"{relation.parent}.{relation.parent_column} is not unique", "refer to a primary key or a unique column"
        )
    if relation.own and (not column.may_be_null or relation.unique or relation.per):
        raise impossible(
            f"it refers to {name!r} itself, whose first row has nothing to refer to", "make it `nullable: true`"
        )
    if column.fake is not None:
        raise impossible("it has both `references` and `fake`", "take one of them away")


def _check_reads(rules: TableRules) -> None:
    """Columns may not wait for each other, nor a column that is never NULL for one that may be."""
    for name, rule in rules.rules.items():
        scope, nullable = rules.scopes[name], rules.entity.columns[name].may_be_null
        for read in rule.reads | {reference for reference, _ in rule.parent_reads}:
            if rules.entity.columns[read].may_be_null and not nullable:
                raise scope.impossible(
                    f"it is computed from {read!r}, which may be NULL, and may not be NULL itself",
                    "give it `nullable: true`",
                )
        for reference, _ in rule.parent_reads:
            if rules.relations[reference].own:
                raise scope.impossible(f"it starts from a column of {rules.name!r} itself", "name a column of the row")
        _check_circle(rules, name, ())


def _check_keys(rules: TableRules) -> None:
    """A key of several columns needs one among them that never repeats by itself."""
    for key in (rules.table.primary_key, *rules.entity.unique):
        if len(key) > 1 and rules.count > 1 and not any(_never_repeats(rules, name) for name in key):
            raise rules.scopes[key[0]].impossible(
                f"the key ({', '.join(key)}) could repeat", "make one of them a sequence, a uuid, or `unique: true`"
            )


def _never_repeats(rules: TableRules, column: str) -> bool:
    fake = rules.entity.columns[column].fake
    return rules.scopes[column].unique or (fake is not None and fake.kind in ("sequence", "uuid"))


def _check_circle(rules: TableRules, name: str, above: tuple[str, ...]) -> None:
    if name in above:
        raise rules.scopes[name].impossible(
            f"{' -> '.join((*above, name))}: its columns wait for each other", "let one of them start"
        )
    rule = rules.rules.get(name)
    for read in sorted(rule.reads if rule else ()):
        _check_circle(rules, read, (*above, name))
