"""No DAG: an import error that names what is wrong with each spec that became none (Airflow reads this file)."""

from framework.airflow import require_sound
from framework.airflow.loader import specs_directory

require_sound(specs_directory(__file__))
