"""PostgreSQL: the source."""
