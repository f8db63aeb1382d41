"""One test's own database on a shared server, and the password users that may use it."""

from __future__ import annotations

import secrets
from contextlib import closing, suppress
from functools import cached_property
from typing import Any

import psycopg2
import pymysql
from sqlalchemy.engine import make_url

from tests.services.login import connect
from tests.services.server import Kind, Server

_ERRORS = (psycopg2.Error, pymysql.MySQLError)

_COUNTED = (
    *("class", "proc", "type", "namespace", "extension", "operator", "cast", "collation", "conversion", "constraint"),
    *("default_acl", "enum", "event_trigger", "foreign_data_wrapper", "foreign_server", "language", "publication"),
    *("largeobject_metadata", "opclass", "policy", "rewrite", "seclabel", "statistic_ext", "transform", "trigger"),
    *("ts_config", "ts_dict", "ts_parser", "user_mapping", "inherits", "description", "init_privs"),
)
_STATE = f"""
SELECT ({" || ',' || ".join(f"(SELECT count(*) FROM pg_{name})" for name in _COUNTED)}),
    (SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'),
    (SELECT row(datacl, datconnlimit, datallowconn, datdba)::text FROM pg_database WHERE datname = current_database()),
    (SELECT row(a.*)::text FROM pg_authid a WHERE rolname = %(role)s),
    (SELECT count(*) FROM pg_auth_members WHERE member = %(role)s::regrole OR roleid = %(role)s::regrole),
    (SELECT count(*) FROM pg_db_role_setting s WHERE setrole = %(role)s::regrole OR setdatabase = d.oid),
    (SELECT count(*) FROM pg_shdepend s WHERE s.dbid = d.oid),
    (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
    (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())
FROM pg_database d WHERE datname = current_database()
"""
"""All that tells a new database from one that was used."""


class Database:
    """A fresh database with its user. `url` is the user's, `admin_url` the administrator's, both on this database.

    `execute` and `rows` act as the user, each statement committed by itself. Parameters are the driver's (%s).
    """

    def __init__(self, server: Server) -> None:
        self.kind: Kind = server.kind
        self.name = _name()
        self.user = _name()
        self._password = secrets.token_hex(8)
        self._server_url = server.url
        self.url = self._url(self.user, self._password)
        self.admin_url = make_url(server.url).set(database=self.name).render_as_string(hide_password=False)

    def execute(self, sql: str, *parameters: object) -> int:
        """Runs one statement as the user; returns the number of rows it affected, as the driver counts them."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sql, parameters or None)
            return int(cursor.rowcount)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs one query as the user."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sql, parameters or None)
            return list(cursor.fetchall())

    def connect(self, *, autocommit: bool = False) -> Any:
        """A driver connection of the user, for tests that need a transaction of their own. The test closes it."""
        return connect(self.url, autocommit=autocommit)

    def admin(self, *statements: str) -> None:
        """Runs statements as the administrator, on this database."""
        _run(self.admin_url, *statements)

    def forget_connection(self) -> None:
        """The server has ended the session; the next statement begins another."""
        if (lost := self.__dict__.pop("_connection", None)) is not None:
            with suppress(Exception):
                lost.close()

    def drop(self) -> None:
        """Ends the sessions of the database and its users, and removes both."""
        self.forget_connection()
        self._drop()

    def renewed(self) -> bool:
        """Ends its sessions and removes all that is in it; whether it is like a new one then."""
        self.forget_connection()
        try:
            return self._renewed()
        except _ERRORS:
            return False

    def _drop(self) -> None:
        raise NotImplementedError

    def _renewed(self) -> bool:
        raise NotImplementedError

    @cached_property
    def _connection(self) -> Any:
        return connect(self.url)

    def _url(self, user: str, password: str) -> str:
        url = make_url(self._server_url).set(database=self.name, username=user, password=password)
        return url.render_as_string(hide_password=False)


class SourceDatabase(Database):
    """A PostgreSQL database whose owner is no superuser.

    Without `read_all_stats` the owner does not see when other sessions' transactions began.
    """

    def __init__(self, server: Server, *, read_all_stats: bool = True) -> None:
        super().__init__(server)
        self._read_all_stats = read_all_stats
        self._roles = [self.user]
        _run(
            self._server_url,
            *self._role(self.user, self._password),
            # The owner of the database owns its schema `public` through pg_database_owner.
            f'CREATE DATABASE "{self.name}" OWNER "{self.user}"',
        )
        self._new = self._state()

    @cached_property
    def reader_url(self) -> str:
        """The URL of another user, who may only read: every table of `public`, those of the future included."""
        reader, password = _name(), secrets.token_hex(8)
        self._roles.append(reader)
        self.admin(
            *self._role(reader, password),
            f'GRANT USAGE ON SCHEMA public TO "{reader}"',
            f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{reader}"',
            f'ALTER DEFAULT PRIVILEGES FOR ROLE "{self.user}" IN SCHEMA public GRANT SELECT ON TABLES TO "{reader}"',
        )
        return self._url(reader, password)

    def _role(self, role: str, password: str) -> list[str]:
        statements = [f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{password}'"]
        if self._read_all_stats:
            statements.append(f'GRANT pg_read_all_stats TO "{role}"')
        return statements

    def _renewed(self) -> bool:
        """Counts of all that a database may hold tell whether anything is left."""
        if self.__dict__.pop("reader_url", None) is not None:
            return False
        with closing(connect(self.admin_url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            cursor.execute(f'DROP OWNED BY "{self.user}" CASCADE')
        return self._state() == self._new

    def _state(self) -> list[tuple[Any, ...]]:
        with closing(connect(self.admin_url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(_STATE, {"role": self.user})
            return list(cursor.fetchall())

    def _drop(self) -> None:
        # A prepared transaction belongs to no session, and keeps its database from being dropped.
        with closing(connect(self._server_url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE database = %s", (self.name,))
            prepared = [str(gid).replace("'", "''") for (gid,) in cursor.fetchall()]
        if prepared:
            self.admin(*(f"ROLLBACK PREPARED '{gid}'" for gid in prepared))
        statements = [f'DROP DATABASE "{self.name}" WITH (FORCE)']
        statements += [f'DROP ROLE "{role}"' for role in self._roles]
        _run(self._server_url, *statements)


class TargetDatabase(Database):
    """A MySQL or MariaDB database whose user has every right in it, and none elsewhere."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        _run(
            self._server_url,
            f"CREATE DATABASE `{self.name}` CHARACTER SET utf8mb4",
            f"CREATE USER `{self.user}`@`%` IDENTIFIED BY '{self._password}'",
            f"GRANT ALL PRIVILEGES ON `{self.name}`.* TO `{self.user}`@`%`",
        )
        with closing(connect(self._server_url)) as connection, closing(connection.cursor()) as cursor:
            self._new = self._account(cursor)

    def _renewed(self) -> bool:
        with closing(connect(self._server_url)) as connection, closing(connection.cursor()) as cursor:
            self._end_sessions(cursor)
            cursor.execute(f"DROP DATABASE `{self.name}`")
            cursor.execute(f"CREATE DATABASE `{self.name}` CHARACTER SET utf8mb4")
            return self._account(cursor) == self._new

    def _drop(self) -> None:
        with closing(connect(self._server_url)) as connection, closing(connection.cursor()) as cursor:
            self._end_sessions(cursor)
            cursor.execute(f"DROP DATABASE IF EXISTS `{self.name}`")
            cursor.execute(f"DROP USER `{self.user}`@`%`")

    def _end_sessions(self, cursor: Any) -> None:
        # An open transaction holds its tables, and DROP DATABASE would wait for it.
        cursor.execute("SHOW FULL PROCESSLIST")  # the short one cuts statements within a character
        sessions = [row[0] for row in cursor.fetchall() if row[1] == self.user]
        for session in sessions:
            # It may have ended by itself in the meantime.
            with suppress(Exception):
                cursor.execute(f"KILL {session}")

    def _account(self, cursor: Any) -> list[tuple[Any, ...]]:
        """The user's rights and settings."""
        told: list[tuple[Any, ...]] = []
        for statement in ("SHOW GRANTS FOR", "SHOW CREATE USER"):
            cursor.execute(f"{statement} `{self.user}`@`%`")
            told += cursor.fetchall()
        return told


def _name() -> str:
    """Short, and unlike any other, so that tests can run side by side on one server."""
    return f"t{secrets.token_hex(5)}"


def _run(url: str, *statements: str) -> None:
    with closing(connect(url)) as connection, closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
