"""The run report: one self-contained HTML page per ingest, and the same as JSON, in the lakehouse's own folder.

``timeline`` (samples while the run goes) -> ``volume`` (what the tables hold, asked with SQL) -> ``history`` (earlier runs)
-> ``charts`` (figures to shapes) -> ``page`` (the document, its HTML, the files).
"""
