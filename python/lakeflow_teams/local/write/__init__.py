"""Delta tables: how rows get into one, in a commit that also carries the offset.

``append``, ``merge``, ``scd2`` and ``snapshot`` are a way of writing each, and ``sets`` replaces the items of messages.
They look rows up and change them through ``stored``, which is ``by_files`` (``lookup``: which files can hold a key;
``data_file``: how files are written; ``splice``: files of row groups of others) or ``by_engine``. ``comparison`` lays a
snapshot beside what is stored, in ``buckets`` on disk. Below are ``rows`` and ``equality`` (Arrow kernels), ``destination``
(one table), ``stamp`` (the offset, in the same commit) and ``delta`` (the one door to deltalake). ``folding`` refuses keys
that fold rows together, ``heal`` finds keys that are doubled, and ``upkeep`` puts small files together. Nothing here knows a
spec, a client or which reading the rows come from.
"""
