"""The live databases of a spec, examined: for `vitrina doctor`, and for `vitrina validate --online`."""
