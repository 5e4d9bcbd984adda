"""What a client, a check, a plan and a run give back, as objects that print well.

Plain values made from the core's JSON, and how they look: ``html`` in a notebook, ``terminal`` on one. Nothing here reads or
writes a table, and nothing here knows Delta or Spark.
"""
