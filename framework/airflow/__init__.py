"""Specs as Airflow DAGs. This package alone imports Airflow.

`load_dags` is what a file in the DAGs folder calls; `require_sound` is for a second one that shows what is wrong with
the specs that became no DAG. `SpecBundle` does without both files (see docs/airflow.md).
"""

from framework.airflow.loader import dag_of, load_dags, require_sound

__all__ = ["dag_of", "load_dags", "require_sound"]
