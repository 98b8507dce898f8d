"""Find a Huey by its path, ``package.module:attribute`` or ``package.module.attribute``.

An error of the application has notes: the last lines of its traceback that are the user's own.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError
from hueyio.worker.user_frames import user_frames

__all__ = ["load_huey"]


def load_huey(path: str) -> Huey:
    """Import the module, from the current folder too, and return the Huey; raises ConfigurationError."""
    module_name, found, attribute = path.partition(":") if ":" in path else path.rpartition(".")
    if not (module_name and found and attribute):
        raise ConfigurationError(f"{path!r} is no path of a Huey; write it as module:attribute, such as app:huey")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    huey: object = _import(module_name)
    for name in attribute.split("."):
        if not hasattr(huey, name):
            raise ConfigurationError(f"module {module_name!r} has no attribute {attribute!r}")
        huey = getattr(huey, name)
    if isinstance(huey, SyncHuey):  # an app of hueyio.blocking
        huey = huey.aio
    if not isinstance(huey, Huey):
        raise ConfigurationError(f"{path} is a {type(huey).__name__}, not a Huey")
    core_of(huey).home = module_name
    return huey


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(f"there is no module {error.name!r}, in {os.getcwd()} or installed") from error
        raise _refusal(f"module {name!r} does not import: {error}", error) from error
    except SystemExit as error:
        text = f"module {name!r} ends the process while it is imported: SystemExit({error.code!r})"
        raise _refusal(text, error) from error
    except Exception as error:  # whatever the module raises: turned into what the command line says
        raise _refusal(f"module {name!r} does not import: {type(error).__name__}: {error}", error) from error


def _refusal(text: str, error: BaseException) -> ConfigurationError:
    refusal = ConfigurationError(text)
    for line in user_frames(error):
        refusal.add_note(line)
    return refusal
