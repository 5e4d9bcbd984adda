"""Mattermost's bulk export: JSON lines, alone or in a zip with the files.

Facts of the format: docs.mattermost.com/onboard/bulk-loading-data.html, which describes what the export writes.
"""

from lakeflow_teams.deliver.sources.mattermost.export import MattermostExport

__all__ = ["MattermostExport"]
