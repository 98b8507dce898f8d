"""The dashboard in a real browser: ``nox -s browser``."""
