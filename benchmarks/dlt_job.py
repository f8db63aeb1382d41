"""dlt's own way from PostgreSQL to MySQL; run by the Python of the peers, without Vitrina: SOURCE TARGET FOLDER."""

from __future__ import annotations

import sys
from importlib import import_module

dlt = import_module("dlt")
source, target, folder = sys.argv[1:]
table = import_module("dlt.sources.sql_database").sql_table(
    credentials=source,
    table="facts",
    schema="public",
    backend="pyarrow",
    chunk_size=100_000,
    reflection_level="full_with_precision",
)
pipeline = dlt.pipeline(
    "bench",
    pipelines_dir=folder,
    destination=dlt.destinations.sqlalchemy(target),
    dataset_name=target.rsplit("/", 1)[1],
)
pipeline.run(table, write_disposition="replace")
