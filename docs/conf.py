"""How the documentation site is built: ``make docs``."""

from __future__ import annotations

from holdfast import __version__

project = "Holdfast"
author = "The Holdfast authors"
copyright = "The Holdfast authors; Apache-2.0"
version = release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Holdfast {__version__}"
html_copy_source = False
html_show_sphinx = False
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Shown as written: a lexer must not warn of an ellipsis in an example.
highlight_language = "text"
