"""The spec checker under a million broken files (`make torture`)."""
