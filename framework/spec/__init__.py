"""The language of the specs: models, loading, checks."""
