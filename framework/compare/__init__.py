"""Comparing tables of two databases by ranges: counts and checksums first, rows where they differ."""
