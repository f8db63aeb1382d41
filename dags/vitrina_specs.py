"""Every sound spec as an Airflow DAG."""

from framework.airflow import load_dags
from framework.airflow.loader import specs_directory

globals().update(load_dags(specs_directory(__file__)))
