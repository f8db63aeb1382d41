"""What a task read and wrote, for OpenLineage; used where Airflow's provider of it is installed.

Names follow OpenLineage's naming of datasets (https://openlineage.io/docs/spec/naming): ``postgres://host:port`` and
``database.schema.table``, ``mysql://host:port`` and ``database.table``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import make_url

from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource

_PORTS = {"postgresql": 5432, "mysql": 3306}
_SCHEMES = {"postgresql": "postgres"}


@dataclass(frozen=True)
class Dataset:
    namespace: str
    name: str


@dataclass(frozen=True)
class Moved:
    """What one task did.

    Attributes:
        rows: rows written.
    """

    read: tuple[Dataset, ...]
    written: Dataset
    rows: int


def source_dataset(source: PostgresSource, schema: str, table: str) -> Dataset:
    """A table of the source."""
    return _dataset(source.url, f"{schema}.{table}")


def target_dataset(target: Target, table: str) -> Dataset:
    """A table or a mart of the target."""
    return _dataset(target.url, table)


# A process does one task. The operator cannot keep it: Airflow executes a copy, and asks the original.
_told: list[Moved] = []


def tell(moved: Moved) -> None:
    """Keep what this process's task has done."""
    _told.append(moved)


def told() -> Any:
    """What this process's task has done, as the provider's `OperatorLineage`; None if it moved nothing."""
    return _as_openlineage(_told[-1]) if _told else None


def _as_openlineage(moved: Moved) -> Any:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.generated.base import OutputDatasetFacet
    from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet

    counted: dict[str, OutputDatasetFacet] = {
        "outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=moved.rows)
    }
    return OperatorLineage(
        inputs=[InputDataset(dataset.namespace, dataset.name) for dataset in moved.read],
        outputs=[OutputDataset(moved.written.namespace, moved.written.name, outputFacets=counted)],
    )


def _dataset(url: str, name: str) -> Dataset:
    parts = make_url(url)
    product = parts.get_backend_name()
    if not parts.host:
        return Dataset(product, f"{parts.database}.{name}")
    namespace = f"{_SCHEMES.get(product, product)}://{parts.host}:{parts.port or _PORTS[product]}"
    return Dataset(namespace, f"{parts.database}.{name}")
