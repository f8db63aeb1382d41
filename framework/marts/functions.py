"""Which functions MySQL has, and which of those that a query calls it has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from sqlglot import Token, TokenType, exp

from framework.diagnostics import Severity, closest
from framework.marts.query import Finding, line_and_column, position, tokens_of

FILE = Path(__file__).with_name("mysql_functions.txt")
"""The functions of MySQL 9.7, and those that only 8.4 has."""

_FOREIGN = {
    "AGE": "TIMESTAMPDIFF",
    "ARRAY_AGG": "JSON_ARRAYAGG",
    "BOOL_AND": "MIN",
    "BOOL_OR": "MAX",
    "BTRIM": "TRIM",
    "CHARINDEX": "LOCATE",
    "CHR": "CHAR",
    "CLOCK_TIMESTAMP": "SYSDATE(6)",
    "DATE_PART": "EXTRACT",
    "DATE_TRUNC": "DATE_FORMAT(column, '%Y-%m-01')",
    "GEN_RANDOM_UUID": "UUID",
    "GENERATE_SERIES": "WITH RECURSIVE",
    "GETDATE": "NOW",
    "IIF": "IF",
    "INITCAP": "CONCAT(UPPER(LEFT(x, 1)), LOWER(SUBSTRING(x, 2)))",
    "ISNUMERIC": "REGEXP_LIKE",
    "JSON_AGG": "JSON_ARRAYAGG",
    "JSONB_AGG": "JSON_ARRAYAGG",
    "JSON_BUILD_OBJECT": "JSON_OBJECT",
    "JSONB_BUILD_OBJECT": "JSON_OBJECT",
    "LEN": "CHAR_LENGTH",
    "LISTAGG": "GROUP_CONCAT",
    "NVL": "IFNULL",
    "RANDOM": "RAND",
    "SPLIT_PART": "SUBSTRING_INDEX",
    "STRING_AGG": "GROUP_CONCAT",
    "STRPOS": "LOCATE",
    "TO_JSON": "JSON_OBJECT or JSON_ARRAY",
    "TO_CHAR": "DATE_FORMAT",
    "TO_DATE": "STR_TO_DATE",
    "TO_TIMESTAMP": "FROM_UNIXTIME",
    "TRUNC": "TRUNCATE",
}
"""Functions of other databases, and what does the same in MySQL."""

_SYNTAX = frozenset(
    {"AGAINST", "ALL", "ANY", "BY", "COLUMNS", "DIV", "FORCE", "GROUP", "IGNORE", "INDEX", "KEY", "LATERAL"}
    | {"MEMBER", "OF", "OVER", "PARTITION", "REGEXP", "RLIKE", "ROW", "SOME", "SOUNDS", "TABLE", "USE"}
)
"""Words that stand before a bracket and are no functions."""
GONE = frozenset({"MD5", "SHA", "SHA1"})
"""Functions that MySQL 8.4 has and 9.7 has not."""
_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})


RESERVED = Path(__file__).with_name("mysql_reserved.txt")
"""Words that are no names in MySQL unless they are quoted."""


@cache
def reserved() -> frozenset[str]:
    """Those words, in upper case."""
    return frozenset(RESERVED.read_text(encoding="ascii").split())


MARIADB = frozenset(
    {"CURRENT_ROLE", "DELETE_DOMAIN_ID", "DO_DOMAIN_IDS", "IGNORE_DOMAIN_IDS", "MASTER_DEMOTE_TO_REPLICA"}
    | {"MASTER_DEMOTE_TO_SLAVE", "MASTER_SSL_VERIFY_SERVER_CERT", "OFFSET", "PAGE_CHECKSUM", "PARSE_VCOL_EXPR"}
    | {"PORTION", "REF_SYSTEM_ID", "RETURNING", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES"}
)
"""Words that only MariaDB keeps for itself."""

_VALUES = frozenset(
    {"CURRENT_DATE", "CURRENT_ROLE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME"}
    | {"LOCALTIMESTAMP", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP"}
)
"""Reserved words that are values where a column may stand."""


def reserved_names(query: exp.Query, text: str, key: tuple[str | int, ...]) -> Iterator[Finding]:
    """Names that the query gives or uses without quotes, and that are words of MySQL or of MariaDB."""
    for name in _unquoted(query):
        if (word := name.name.upper()) in reserved() or word in MARIADB:
            line, column = position(text, name)
            owner, severity = ("MySQL", Severity.ERROR) if word in reserved() else ("MariaDB", Severity.WARNING)
            fact = f"{name.name!r} is a word of {owner}'s and no name"
            advice = f"write `{name.name}` in backticks, or another name"
            yield Finding("sql-reserved-word", fact, advice, key, line or 1, column or 1, severity)


def _unquoted(query: exp.Query) -> Iterator[exp.Identifier]:
    """Names without quotes, but for those beside a dot, where any word is one."""
    for node in query.walk():
        names: list[object] = []
        if isinstance(node, exp.Alias | exp.Window):
            names = [node.args.get("alias")]
        elif isinstance(node, exp.TableAlias):
            names = [node.this, *node.columns]
        elif isinstance(node, exp.Join):
            names = list(node.args.get("using") or ())
        elif isinstance(node, exp.Table) and node.name.upper() != "DUAL":
            names = [node.this] if len(node.parts) == 1 else []
        elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            # Behind this dot there is no name.
            names = [node.parts[0]] if len(node.parts) == 2 else []
        elif isinstance(node, exp.Column) and node.name.upper() not in _VALUES:
            names = [node.this] if len(node.parts) == 1 else []
        yield from (name for name in names if isinstance(name, exp.Identifier) and not name.quoted)


@cache
def known() -> frozenset[str]:
    """The names of MySQL's functions, in upper case."""
    return frozenset(FILE.read_text(encoding="ascii").split())


def unknown_functions(query: exp.Query, text: str, key: tuple[str | int, ...]) -> Iterator[Finding]:
    """Calls of functions that MySQL has not. Those of a database (``sales.margin(x)``) are not judged."""
    named = {name.lower() for name in _names_with_columns(query)}
    for name in _called(tokens_of(text)):
        word = name.text.upper()
        if word in GONE:
            line, column = line_and_column(text, name.start)
            fact = f"MySQL 8.4 has {word}, and newer versions have not"
            yield Finding("sql-unknown-function", fact, "write SHA2(x, 256)", key, line, column, Severity.WARNING)
        if word in known() or word in _SYNTAX or name.text.lower() in named:
            continue
        meant = _FOREIGN.get(word) or closest(word, known())
        advice = f"write {meant}" if word in _FOREIGN else f"did you mean {meant}?" if meant else ""
        line, column = line_and_column(text, name.start)
        yield Finding("sql-unknown-function", f"MySQL has no function {word}", advice, key, line, column)


def _called(tokens: Iterable[Token]) -> Iterator[Token]:
    """Names directly before a bracket, other than those of tables in INSERT-like lists and after a dot."""
    before: TokenType | None = None
    for name, bracket in pairwise(tokens):
        is_word = name.token_type in _NAMES or name.text.upper() in _FOREIGN
        if is_word and bracket.token_type is TokenType.L_PAREN and before is not TokenType.DOT:
            yield name
        before = name.token_type


def _names_with_columns(query: exp.Query) -> Iterator[str]:
    """Names of derived tables behind which a list of columns may stand, and of windows and indexes."""
    for alias in query.find_all(exp.TableAlias):
        if alias.args.get("columns"):
            yield alias.name
