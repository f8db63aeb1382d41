"""MySQL 8.4 and newer, and MariaDB 10.11: the target."""
