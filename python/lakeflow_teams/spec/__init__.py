"""Pipeline specs: what may be written in one, and how each destination is then written.

``document`` (the framework's keys, each mistake one line) -> ``writing`` (the way of writing that follows from ``scd_type``
and the kind of table) -> ``pipeline`` (a spec for the local lakehouse and the command line, from YAML).
Needs neither Spark nor Delta.
"""
