"""Delta tables: how rows get into one, in a commit that also carries the offset.

``append``, ``merge``, ``scd2`` and ``snapshot`` are a way of writing each, and ``sets`` replaces the items of messages. They
use ``rows`` (Arrow kernels), ``sql`` (expressions of a merge), ``destination`` (one table), ``stamp`` (the offset, in the
same commit) and ``delta`` (the one door to deltalake). ``folding`` refuses keys that fold rows together, and ``heal`` finds
keys that are doubled. Nothing here knows a spec, a client or which reading the rows come from.
"""
