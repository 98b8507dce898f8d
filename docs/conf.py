"""Sphinx settings."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "hueyio"
author = "The hueyio authors"
copyright = f"2026, {author}"
version = release = version_of("hueyio")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

smartquotes = False  # `--threads` in a table is an option, and no dash

html_theme = "furo"
html_title = "hueyio"
html_static_path = ["_static"]
html_css_files = ["hueyio.css"]
html_extra_path = ["llms.txt"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
