"""The words that people look for, and the page that each must lead to.

``python -m tests.support.sought FOLDER`` asks the search of the documentation that was built there, as browsers do: a
word is reduced to its stem, and looked up among those of the titles.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.support.docs_code import DOCS

__all__ = ["SOUGHT", "headings"]

SOUGHT: Final = {
    "cancel": "how-to/around-tasks",
    "Celery": "how-to/coming-from-celery",
    "chord": "how-to/groups-and-chords",
    "comparison": "explanation/comparison",
    "cron": "how-to/periodic-tasks",
    "dashboard": "how-to/dashboard",
    "Django": "how-to/django",
    "Docker": "how-to/docker",
    "environment": "reference/settings",
    "FAQ": "how-to/faq",
    "FastAPI": "how-to/web-frameworks",
    "Flask": "how-to/web-frameworks",
    "install": "tutorial/install",
    "Kubernetes": "how-to/kubernetes",
    "logging": "how-to/logs",
    "middleware": "how-to/around-tasks",
    "performance": "explanation/performance",
    "priority": "how-to/priorities",
    "progress": "how-to/progress",
    "Redis": "how-to/redis",
    "retry": "how-to/retries-and-pipelines",
    "schedule": "how-to/later-and-not-at-all",
    "Sentry": "how-to/sentry",
    "settings": "reference/settings",
    "SQLite": "how-to/sqlite-file",
    "systemd": "how-to/systemd",
    "timeout": "how-to/timeouts",
    "troubleshooting": "how-to/troubleshooting",
    "unique": "how-to/unique",
    "upgrade": "how-to/upgrade",
}


def headings(page: str) -> list[str]:
    """List the headings of a page, its title first."""
    lines = (DOCS / f"{page}.md").read_text().splitlines()
    return [line.lstrip("#").strip() for line in lines if line.startswith("#") and line.lstrip("#").startswith(" ")]


def _not_found(folder: Path) -> list[str]:
    text = (folder / "searchindex.js").read_text()
    index: dict[str, Any] = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    # By its name: only where the documentation is built there is Sphinx.
    stem = import_module("sphinx.search.en").SearchEnglish({}).stem
    return [word for word, page in SOUGHT.items() if page not in _found(index, stem(word.lower()))]


def _found(index: dict[str, Any], term: str) -> list[str]:
    found = index["titleterms"].get(term, [])
    return [index["docnames"][number] for number in ([found] if isinstance(found, int) else found)]


if __name__ == "__main__":
    if missing := _not_found(Path(sys.argv[1])):
        sys.exit(f"the search does not lead from these words to their page: {', '.join(missing)}")
