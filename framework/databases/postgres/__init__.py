"""PostgreSQL: the source."""

from framework.databases.postgres.source import PostgresSource

__all__ = ["PostgresSource"]
