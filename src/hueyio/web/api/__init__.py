"""The JSON API of the dashboard, below ``/api/v1``: what the pages show, as data. Keys are only ever added."""
