"""From the command line and the environment to options. The options' own classes say which there are."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from hueyio.consumer import ConsumerOptions
from hueyio.exceptions import ConfigurationError
from hueyio.tasks.given import closest
from hueyio.worker.options import OBSOLETE, WorkerOptions
from hueyio.worker.parent import FD_VARIABLE, FIRST_VARIABLE
from hueyio.worker.reload import RELOADER_VARIABLE

__all__ = ["Arguments", "Option", "add_options", "options_of", "read_arguments"]

_READ_ELSEWHERE: Final = frozenset(
    {
        "HUEYIO_APP",
        "HUEYIO_FILE",
        "HUEYIO_QUEUE",
        "HUEYIO_URL",
        "HUEYIO_COMPLETE",
        FD_VARIABLE,
        FIRST_VARIABLE,
        RELOADER_VARIABLE,
    }
)

_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What was asked for."""

    apps: list[str]
    limits: dict[str, Any]
    """Of the consumers, as ``Huey.create_consumer`` takes them."""
    worker: WorkerOptions
    remarks: list[str]
    """What the user should read about options that do nothing."""
    is_child: bool
    """Whether a supervisor started this process."""
    given: tuple[str, ...]

    @property
    def needs_supervisor(self) -> bool:
        """Whether the consumers run in processes of their own."""
        worker = self.worker
        several = worker.processes > 1 or worker.reload
        return not self.is_child and (several or worker.max_tasks is not None or worker.max_memory is not None)

    def for_child(self, place: int) -> list[str]:
        """Return the arguments of the process at this place; each serves its probes at a port of its own."""
        addresses = self.addresses()
        if place == 0 or not addresses:
            return list(self.given)
        host, port = addresses[place]
        return [*self.given, "--health", f"{host}:{port}"]

    def addresses(self) -> list[tuple[str, int]]:
        """Return where the processes of a supervisor serve their probes; nothing if nowhere, or at any free port."""
        address = self.worker.health_address()
        if address is None or address[1] == 0:
            return []
        host, first = address
        if first + self.worker.processes > 65536:
            raise ConfigurationError(f"there are no {self.worker.processes} ports from {first} on for --health")
        return [(host, first + place) for place in range(self.worker.processes)]


@dataclass(frozen=True, slots=True)
class Option:
    """One field of an options class, as the command line and the environment have it."""

    field: dataclasses.Field[Any]
    kind: type
    choices: tuple[Any, ...] | None

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def turns_off(self) -> bool:
        """Whether it is on by default, so that what can be given is Huey's ``--no-periodic``."""
        return self.kind is bool and self.field.default is True

    @property
    def variable(self) -> str:
        return f"HUEYIO_{self._long_name.upper()}"

    @property
    def flag(self) -> str:
        return f"--{self._long_name.replace('_', '-')}"

    @property
    def _long_name(self) -> str:
        return f"no_{self.name}" if self.turns_off else self.name

    def read(self, text: str) -> Any:
        """Read what the environment says."""
        if self.kind is bool:
            if text.lower() in _YES | _NO:
                return (text.lower() in _YES) is not self.turns_off
            raise ConfigurationError(f"{self.variable} must be 1 or 0, not {text!r}")
        try:
            return self.kind(text)
        except ValueError:
            kind = "a whole number" if self.kind is int else "a number"
            raise ConfigurationError(f"{self.variable} must be {kind}, not {text!r}") from None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a worker to its parser."""
    parser.epilog = "Each option is also read from the environment, such as HUEYIO_WORKERS; the command line wins."
    parser.add_argument("apps", nargs="+", metavar="APP", help="where a Huey is: module:attribute, such as app:huey")
    loudness = parser.add_mutually_exclusive_group()
    for option in (*options_of(ConsumerOptions), *options_of(WorkerOptions)):
        _add_option(loudness if option.field.metadata.get("is_loudness") else parser, option)
    for gone in OBSOLETE:
        action: dict[str, Any] = {"default": None} if gone.takes_value else {"action": "store_true"}
        parser.add_argument(*gone.flags, dest=_destination(gone.flags), help=argparse.SUPPRESS, **action)


def read_arguments(given: argparse.Namespace, environment: Mapping[str, str], line: Sequence[str]) -> Arguments:
    """Return what was asked for; raises ConfigurationError that names the option or the variable."""
    limits = _read(ConsumerOptions, given, environment)
    ConsumerOptions(**limits)
    return Arguments(
        apps=given.apps,
        limits=limits,
        worker=WorkerOptions(**_read(WorkerOptions, given, environment)),
        remarks=[
            *(
                f"{'/'.join(gone.flags)} does nothing any more: {gone.reason}"
                for gone in OBSOLETE
                if getattr(given, _destination(gone.flags))
            ),
            *_misspelt(environment),
        ],
        is_child=FD_VARIABLE in environment,
        given=tuple(line),
    )


def _read(options: type, given: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in options_of(options):
        value = getattr(given, option.name)
        if value is not None:
            found[option.name] = value
        elif option.variable in environment:
            found[option.name] = option.read(environment[option.variable])
    return found


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    """Tell of variables that nobody reads, and whose names are like those of options."""
    known = {option.variable for options in (ConsumerOptions, WorkerOptions) for option in options_of(options)}
    unknown = sorted(name for name in environment if name.startswith("HUEYIO_") and name not in known | _READ_ELSEWHERE)
    meant = {name: closest(name, known, 0.85) for name in unknown}
    return [f"{name} is no option, and does nothing; did you mean {other}?" for name, other in meant.items() if other]


@functools.cache  # each start asks three times, and each time every annotation would be evaluated
def options_of(options: type) -> tuple[Option, ...]:
    """Return what can be given of an options class, in its order: the fields that have a help."""
    hints = get_type_hints(options)
    fields = dataclasses.fields(options)
    return tuple(_option(field, hints[field.name]) for field in fields if "help" in field.metadata)


def _option(field: dataclasses.Field[Any], hint: Any) -> Option:
    """Tell the kind of value from the field's type; ``X | None`` is an X that may be left out."""
    if get_origin(hint) is not Literal and (parts := get_args(hint)):
        (hint,) = (part for part in parts if part is not type(None))
    if get_origin(hint) is Literal:
        return Option(field, str, get_args(hint))
    return Option(field, hint, None)


def _add_option(parser: Any, option: Option) -> None:
    metadata = option.field.metadata
    flags = [*([metadata["flag"]] if "flag" in metadata else []), *metadata.get("flags", ()), option.flag]
    text = metadata["help"].replace("%", "%%")
    default = option.field.default
    if option.kind is bool:
        value = not option.turns_off
        parser.add_argument(*flags, dest=option.name, action="store_const", const=value, default=None, help=text)
        return
    if isinstance(default, (int, float, str)) and default != "":
        text += f" (default: {default})" if isinstance(default, str) else f" (default: {default:g})"
    metavar = metadata.get("metavar") or {int: "N", float: "SECONDS", str: "TEXT"}[option.kind]
    parser.add_argument(
        *flags,
        dest=option.name,
        type=option.kind,
        choices=option.choices,
        metavar="|".join(option.choices) if option.choices else metavar,
        default=None,
        help=text,
    )


def _destination(flags: tuple[str, ...]) -> str:
    return f"obsolete_{flags[-1].removeprefix('--').replace('-', '_')}"
