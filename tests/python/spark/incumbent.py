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
        requests.post = lambda url, **more: _post(url.replace(LOGIN, options["authority_host"]), **more)
