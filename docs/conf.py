"""How the documentation is built: `make docs`."""

from pathlib import Path

from lakeflow_teams import __version__

project = "lakeflow-teams"
author = "the lakeflow-teams authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "autoapi.extension", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"lakeflow-teams {version}"
html_static_path = ["_static"]
html_copy_source = False

# The page of the Python interface: modules are imported, and the native core is read from its stub.
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autoapi_dirs = ["../python/lakeflow_teams"]
autoapi_file_patterns = ["*.pyi"]
autoapi_generate_api_docs = False
autoapi_add_toctree_entry = False
autoapi_options = ["members", "undoc-members", "show-inheritance"]
#: Types in signatures need not be on a page; links between pages are checked all the same.
nitpick_ignore_regex = [("py:.*", ".*")]
autosummary_generate = False


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
