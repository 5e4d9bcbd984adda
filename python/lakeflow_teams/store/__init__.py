"""Where a lakehouse lies: a folder of this machine, or a bucket of an object store. Nothing else knows the difference.

``locate`` is the way in: ``address`` (what a target names) -> ``location`` (what all places can do) -> ``folder`` and
``bucket``, its two kinds. ``staging`` holds a table's first commit until it is put in place, and ``refusal`` says in one
line why a store said no. Tables are opened by deltalake, and small files are read and written by obstore, which takes the
same options (``lakeflow_teams.options.storage``).
"""
