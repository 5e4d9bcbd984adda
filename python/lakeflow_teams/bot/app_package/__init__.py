"""The package of a Teams app: what an administrator uploads so that people can have the bot.

:class:`AppPackage` makes one, :func:`check_app_package` says what Teams would refuse of one.
"""

from lakeflow_teams.bot.app_package.check import check_app_package
from lakeflow_teams.bot.app_package.package import AppPackage

__all__ = ["AppPackage", "check_app_package"]
