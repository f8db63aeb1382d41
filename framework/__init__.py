"""Vitrina: declarative replication from PostgreSQL to MySQL, driven by YAML specs."""

__version__ = "0.1.0"
