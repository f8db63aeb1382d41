"""Analytic tables: their order, their checks, and how they are built."""
