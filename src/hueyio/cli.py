"""The command line: ``python -m hueyio worker app:huey``, also as ``hueyio worker app:huey``.

Exit codes: 0 after a graceful stop; 2 for a wrong command line; 69 if the storage cannot be used at start; 70 if
the worker crashed or left tasks behind that ignore their cancellation; 78 if the app cannot be loaded or is set
up wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from hueyio.app import Huey
from hueyio.consumer import Consumer, ConsumerOptions
from hueyio.exceptions import ConfigurationError, StorageError
from hueyio.loading import load_huey

__all__ = ["main"]

logger = logging.getLogger("hueyio.worker")

EXIT_UNAVAILABLE: Final = 69
EXIT_CRASHED: Final = 70
EXIT_CONFIGURATION: Final = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    given = _parser().parse_args(arguments)
    # Debug lines of hueyio alone: other libraries have one for every operation.
    logging.getLogger("hueyio").setLevel(_level(given))
    logging.basicConfig(
        level=max(_level(given), logging.INFO), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        huey = load_huey(given.app)
        names = [field.name for field in dataclasses.fields(ConsumerOptions)]
        consumer = huey.create_consumer(
            **{name: value for name in names if (value := getattr(given, name)) is not None}
        )
    except ConfigurationError as error:
        return _refuse(error, EXIT_CONFIGURATION)
    try:
        return asyncio.run(_serve(huey, consumer))
    except ConfigurationError as error:
        return _refuse(error, EXIT_CONFIGURATION)
    except StorageError as error:
        return _refuse(error, EXIT_UNAVAILABLE)


async def _serve(huey: Huey, consumer: Consumer) -> int:
    logger.info("%d tasks declared, tasks are in %s", len(huey.registry), huey.storage)
    try:
        await consumer.run(handle_signals=True)
    except (ConfigurationError, StorageError):
        raise
    except Exception:
        logger.exception("the worker crashed")
        return EXIT_CRASHED
    finally:
        await huey.close()
    logger.info("stopped")
    if consumer.stuck:
        # The end of the loop would wait for them for ever.
        logging.shutdown()
        os._exit(EXIT_CRASHED)
    return 0


def _refuse(error: Exception, code: int) -> int:
    logger.debug("", exc_info=error)
    print(f"hueyio: {error}", file=sys.stderr)
    return code


def _level(given: argparse.Namespace) -> int:
    if given.verbose:
        return logging.DEBUG
    return logging.WARNING if given.quiet else logging.INFO


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hueyio", description="Huey's task queue, on the event loop.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    worker = commands.add_parser("worker", help="run the tasks of an app until it is told to stop")
    worker.add_argument("app", help="where the Huey is: module:attribute, such as app:huey")
    for field in dataclasses.fields(ConsumerOptions):
        _add_option(worker, field)
    loudness = worker.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="log more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")
    return parser


def _add_option(parser: argparse.ArgumentParser, field: dataclasses.Field[Any]) -> None:
    whole = field.type in ("int", "int | None")
    flags = [field.metadata["flag"]] if "flag" in field.metadata else []
    text = field.metadata["help"]
    if field.default is not dataclasses.MISSING and field.default is not None:
        text += f" (default: {field.default:g})"
    parser.add_argument(
        *flags,
        f"--{field.name.replace('_', '-')}",
        type=int if whole else float,
        metavar="N" if whole else "SECONDS",
        help=text,
    )
