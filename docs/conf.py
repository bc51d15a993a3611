"""How Sphinx builds the site of these pages: `make docs`, offline, into build/docs."""

project = "fedbot"
author = "the people of fedbot"
copyright = "the people of fedbot, MIT licence"  # noqa: A001 (Sphinx's name for it)
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
master_doc = "index"
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
html_theme = "furo"
html_title = "fedbot"
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
pygments_style = "default"
nitpicky = True
