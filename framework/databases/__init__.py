"""Adapters: PostgreSQL as the source; MySQL and DuckDB as targets. They know tables and rows, never specs."""
