"""The run report: one self-contained HTML page per ingest, and the same as JSON, in the lakehouse's own folder.

``timeline`` (samples while the run goes) -> ``volume`` (what the tables hold, asked with SQL) -> ``files`` (earlier runs)
-> ``charts`` (figures to shapes) -> ``page`` (the document and its HTML). It takes a run's summary and the state of the
tables, and knows nothing of how a run goes.
"""
