"""Which version this is. A constant: to ask the installed package takes longer."""

__all__ = ["VERSION"]

VERSION = "0.2.0"
"""The build reads it from here too (``pyproject.toml``), so it is a plain assignment."""
