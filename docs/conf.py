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


#: Pages of the table of contents that may be missing: they are generated, or come with a part that is not there.
MAY_BE_MISSING = ("preflight", "message-details", "reference/*")


def setup(app):
    """Builds the site without the pages that are missing."""
    here = Path(__file__).parent
    missing = [f"{page}\n" for page in MAY_BE_MISSING if not list(here.glob(f"{page}.md"))]

    def drop(_app, page, text):
        if page == "index":
            for line in missing:
                text[0] = text[0].replace(line, "")

    app.connect("source-read", drop)
