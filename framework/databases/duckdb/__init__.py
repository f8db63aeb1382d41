"""DuckDB: the embedded target, one file that one process at a time has open."""

from framework.databases.duckdb.target import DuckDBTarget

__all__ = ["DuckDBTarget"]
