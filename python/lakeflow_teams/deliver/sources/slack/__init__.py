"""Slack's export: the zip that an owner downloads, public or corporate, of one workspace or of an Enterprise Grid.

Facts of the format: slack.com/help/articles/220556107 and the exports that other tools read (mmetl, slackdump, Zulip).
"""

from lakeflow_teams.deliver.sources.slack.export import SlackExport

__all__ = ["SlackExport"]
