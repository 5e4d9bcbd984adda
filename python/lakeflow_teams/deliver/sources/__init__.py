"""Where imported messages come from: one module per format, and each gives the three tables of :mod:`.model`."""
