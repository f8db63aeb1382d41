"""Analytic tables: their order, their checks, and how they are built."""

from framework.marts.build import build
from framework.marts.capture import Captures, watch

__all__ = ["Captures", "build", "watch"]
