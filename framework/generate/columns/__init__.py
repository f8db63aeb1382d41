"""Columns of values as numpy vectors, random numbers that are addressed by row, and the form they are sent in."""
