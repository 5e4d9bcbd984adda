"""For tests of pipelines: fixtures of an emulated tenant, and rows compared with what it holds."""
