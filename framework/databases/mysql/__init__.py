"""MySQL 8.4 and newer, and MariaDB 10.11: the target."""

from framework.databases.mysql.target import MySQLTarget

__all__ = ["MySQLTarget"]
