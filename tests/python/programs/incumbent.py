"""The community framework's own source for Teams, pointed at another host. Its code stays as it is shipped."""

from __future__ import annotations

import requests

from databricks.labs.community_connector.sources.microsoft_teams.microsoft_teams import MicrosoftTeamsLakeflowConnect

LOGIN = "https://login.microsoftonline.com"
_post = requests.post


class Incumbent(MicrosoftTeamsLakeflowConnect):
    """Both of its hosts are constants: one is an attribute of its client, the other stands in a request for a token."""

    def __init__(self, options):
        super().__init__(options)
        self._client.base_url = options["graph_base_url"] + "/v1.0"
        self._login = options["authority_host"]

    def read_table(self, *arguments):
        """Points the module where the reading is done: a worker unpickles this and makes nothing."""
        requests.post = lambda url, **more: _post(url.replace(LOGIN, self._login), **more)
        return super().read_table(*arguments)
