"""A table on its way to MySQL, MariaDB and DuckDB, as in the tests of replication."""

from tests.replicate.conftest import anywhere as anywhere
