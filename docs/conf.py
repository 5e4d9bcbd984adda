"""How the documentation is built: `make docs`."""

from pathlib import Path

from lakeflow_teams import __version__

project = "lakeflow-teams"
author = "the lakeflow-teams authors"
release = version = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "lakeflow-teams"
html_static_path = ["_static"]
html_copy_source = False


def setup(app):
    """Pages under reference/ are generated; where they are not, the site is built without them."""
    if not list(Path(__file__).parent.glob("reference/*.md")):
        app.connect("source-read", lambda _app, _page, text: text.__setitem__(0, text[0].replace("reference/*\n", "")))
