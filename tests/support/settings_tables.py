"""The tables of all settings, made of the code: ``python -m tests.support.settings_tables`` writes them into the page.

Names, types and defaults are those of signatures; what they mean stands in the docstring of each class, as a table, and
beside each option of a consumer and a worker.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Final

from hueyio import Huey
from hueyio.consumer import ConsumerOptions
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.redis import RedisExpireStorage, RedisStorage
from hueyio.storage.sqlite import SqliteStorage
from hueyio.tasks.declared import CallOptions, TaskOptions, TaskSettings
from hueyio.worker.arguments import Option, options_of
from hueyio.worker.options import WorkerOptions

__all__ = ["ENVIRONMENT", "PAGE", "insert", "tables"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
_BEGIN: Final = "<!-- made by python -m tests.support.settings_tables -->\n"
_END: Final = "<!-- end of what is made -->\n"

ENVIRONMENT: Final = {
    "HUEYIO_APP": ("all commands but `worker`", "where the Huey is: `app:huey`; fixtures for tests read it too"),
    "HUEYIO_URL": ("all commands but `worker`", "the server of the queue, where no application is given"),
    "HUEYIO_FILE": ("all commands but `worker`", "its file, or its folder"),
    "HUEYIO_QUEUE": ("all commands but `worker`", "the name of the queue there"),
    "HUEYIO_ACTOR": ("commands that change something", "who does it, for `hueyio audit`"),
    "HUEYIO_WEB_PASSWORD": ("`hueyio web`", "lets in whoever knows it"),
    "HUEYIO_WEB_TOKEN": ("`hueyio web`", "lets in scripts that send it"),
    "NO_COLOR": ("all commands", "if it is not empty, nothing is coloured"),
}
"""Variables beside those of a worker's options: which commands read them, and what they mean."""

_STORAGES: Final = {
    "SqliteHuey": SqliteStorage,
    "RedisHuey": RedisStorage,
    "PostgresHuey": PostgresStorage,
    "MemoryHuey": MemoryStorage,
    "FileHuey": FileStorage,
}

_TYPES: Final = {
    "Expires": "float | timedelta | datetime",
    "Lane": "Literal['loop', 'thread', 'process']",
    "UniqueMode": "Literal['skip', 'replace', 'raise']",
    "UniqueKey": "str | Callable",
    "type[Any]": "type",
    "Callable[[], float]": "Callable",
    "str | os.PathLike[str]": "str | Path",
}
_DEFAULTS: Final = {"clock": "`time.time`", "mode": "`0o600`", "settings": "`{}`"}

_RULE: Final = re.compile(r"^ *(=+)  =+$", re.MULTILINE)


def tables() -> str:
    """Return the text for the page."""
    return "\n".join([*_of_huey(), *_of_storages(), *_of_tasks(), *_of_consumers(), *_of_environment()])


def insert(page: str, text: str) -> str:
    """Return the page with the text between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{text}\n{_END}{after}"


def meanings(described: type) -> dict[str, str]:
    """Read what each option means from the table in a docstring."""
    text = inspect.getdoc(described) or ""
    rules = list(_RULE.finditer(text))
    assert len(rules) == 2, f"the docstring of {described.__name__} has no table of its options"
    found: dict[str, str] = {}
    names: list[str] = []
    width = len(rules[0][1])
    for line in text[rules[0].end() : rules[1].start()].strip("\n").splitlines():
        if line[:width].strip():
            names = re.findall(r"``(\w+)``", line[:width])
        for name in names:
            found[name] = f"{found.get(name, '')} {line[width:].strip()}".strip()
    return found


def _of_huey() -> Iterator[str]:
    yield "## Every Huey\n"
    yield _signature_table(Huey, meanings(Huey))


def _of_storages() -> Iterator[str]:
    for name, storage in _STORAGES.items():
        yield f"## {name}\n"
        yield "What it takes beside the options of every Huey.\n"
        yield _signature_table(storage, meanings(storage), leave_out={"name"})
        yield from _AFTER.get(name, lambda: ())()


def _of_expiring() -> Iterator[str]:
    yield "`PriorityRedisHuey` takes the same. `RedisExpireHuey` and `PriorityRedisExpireHuey` have one option more:\n"
    yield _signature_table(RedisExpireStorage, meanings(RedisExpireStorage), leave_out={"name"})


_AFTER: Final[Mapping[str, Callable[[], Iterable[str]]]] = {"RedisHuey": _of_expiring}
"""What follows the table of a Huey."""


def _of_tasks() -> Iterator[str]:
    said = {**meanings(TaskSettings), **meanings(TaskOptions)}
    kinds = {"context": "bool", **TaskSettings.__annotations__}
    defaults = {"name": None, **{field.name: field.default for field in fields(TaskOptions)}}
    assert said.keys() == kinds.keys()
    at_call = CallOptions.__required_keys__ | CallOptions.__optional_keys__
    yield "## The decorators\n"
    yield (
        "What `@huey.task` and `@huey.periodic_task` take, by keyword. `options` and `schedule` of a task take those "
        "with a yes. `periodic_task` has `catch_up` (`False`) too: the last time that was missed is made up for.\n"
    )
    rows = [
        (f"`{name}`", _kind(kinds[name]), _default(name, defaults[name]), "yes" if name in at_call else "", said[name])
        for name in said
    ]
    yield _table("option | type | default | at a call | meaning", rows)
    yield "Only a call can say:\n"
    only = meanings(CallOptions)
    assert only.keys() | said.keys() >= at_call
    kinds = inspect.get_annotations(CallOptions)
    yield _table("option | type | meaning", [(f"`{name}`", _kind(kinds[name]), text) for name, text in only.items()])


def _of_consumers() -> Iterator[str]:
    yield "## Consumers\n"
    yield (
        "What `huey.create_consumer()` and `hueyio worker` take. The command line wins over the environment; a "
        "variable that turns something on or off is `1` or `0`.\n"
    )
    rows = [(_keyword(o), _flags(o), *_rest(o)) for o in options_of(ConsumerOptions)]
    yield _table("create_consumer | hueyio worker | default | meaning", rows)
    yield "## Worker processes\n"
    yield "What only `hueyio worker` takes.\n"
    alone = [(_flags(o), *_rest(o)) for o in options_of(WorkerOptions)]
    yield _table("hueyio worker | default | meaning", alone)


def _of_environment() -> Iterator[str]:
    yield "## Other environment variables\n"
    rows = [(f"`{name}`", *row) for name, row in ENVIRONMENT.items()]
    yield _table("variable | is read by | meaning", rows)


def _signature_table(made: type, said: Mapping[str, str], leave_out: Iterable[str] = ()) -> str:
    parameters = list(inspect.signature(made.__init__).parameters.values())[1:]  # type: ignore[misc]
    named = [it for it in parameters if it.kind is not it.VAR_KEYWORD and it.name not in leave_out]
    rows = [(f"`{it.name}`", _kind(it.annotation), _default(it.name, it.default), said[it.name]) for it in named]
    return _table("option | type | default | meaning", rows)


def _keyword(option: Option) -> str:
    return f"`{option.name}=False`" if option.turns_off else f"`{option.name}`"


def _flags(option: Option) -> str:
    short = option.field.metadata.get("flag")
    return ", ".join(f"`{way}`" for way in (option.flag, short, option.variable) if way)


def _rest(option: Option) -> tuple[str, str]:
    default = option.field.default
    shown = default is not None and default is not MISSING and not isinstance(default, bool)
    return (_default(option.name, default) if shown else "", option.field.metadata["help"])


def _kind(annotation: object) -> str:
    text = str(getattr(annotation, "__forward_arg__", annotation))
    for name, meant in _TYPES.items():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", meant, text)
    if literal := re.match(r"Literal\[(.*?)\]", text):
        text = text.replace(literal[0], literal[1].replace("'", '"').replace(", ", " | "))
    return f"`{text}`"


def _default(name: str, value: object) -> str:
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    if isinstance(value, float):
        return f"`{value:.10g}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value!r}`"


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    width = head.count(" | ") + 1
    lines = [f"| {head} |", f"|{'---|' * width}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text(), tables()))
