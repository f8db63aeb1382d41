"""dlt's quickest way from PostgreSQL to MySQL; run by the Python of the peers, without Vitrina: SOURCE TARGET FOLDER.

Prints the seconds of its work, without the start of Python and the import of its packages.
Of its backends, file formats and numbers of workers this was the best mix on two cores: batches of Arrow, each in a
file of its own, loaded by four threads.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module

BATCH = 50_000

os.environ.update(DATA_WRITER__FILE_MAX_ITEMS=str(BATCH), LOAD__WORKERS="4")
dlt = import_module("dlt")
sql_table = import_module("dlt.sources.sql_database").sql_table
source, target, folder = sys.argv[1:]
table = sql_table(
    credentials=source,
    table="facts",
    schema="public",
    backend="connectorx",
    backend_kwargs={"return_type": "arrow_stream", "batch_size": BATCH},
    chunk_size=BATCH,
    reflection_level="full_with_precision",
)
pipeline = dlt.pipeline(
    "bench",
    pipelines_dir=folder,
    destination=dlt.destinations.sqlalchemy(target),
    dataset_name=target.rsplit("/", 1)[1],
)
begun = time.perf_counter()
pipeline.run(table, write_disposition="replace")
print(time.perf_counter() - begun)
