"""Fake data: filling a source, and the changes of a living system."""
