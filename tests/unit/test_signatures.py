"""Every option is in the signature of what takes it, with its type and default; any other name is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import hueyio
from hueyio import ConfigurationError, ConsumerOptions, Huey, MemoryHuey, RedisHuey, Result, TaskWrapper
from hueyio.app.options import ConsumerSettings, HueyOptions
from hueyio.tasks.declared import CallOptions, TaskOptions, TaskSettings

PRESETS = [getattr(hueyio, name) for name in hueyio.__all__ if name.endswith("Huey") and name != "Huey"]


def parameters_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {name: it for name, it in inspect.signature(function).parameters.items() if name != "self"}


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_shows_the_options_of_every_huey_and_its_own(preset: type[Huey]) -> None:
    shown = parameters_of(preset)
    of_every_huey = {name: (it.annotation, it.default) for name, it in parameters_of(Huey).items()}
    for name in ("name", *HueyOptions.__annotations__):
        assert (shown[name].annotation, shown[name].default) == of_every_huey[name]
    assert [name for name, it in shown.items() if it.annotation is it.empty or it.default is it.empty] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_shows_the_options_of_its_storage(preset: type[Huey]) -> None:
    assert preset.storage_class is not None
    of_storage = inspect.signature(preset.storage_class).parameters.values()
    wanted = [it.name for it in of_storage if it.kind not in (it.VAR_KEYWORD, it.VAR_POSITIONAL)]
    assert [name for name in wanted if name not in parameters_of(preset)] == []


def test_consumer_shows_all_its_options_with_their_defaults() -> None:
    shown = parameters_of(Huey.create_consumer)
    assert shown.keys() == ConsumerOptions.__dataclass_fields__.keys() == ConsumerSettings.__annotations__.keys()
    assert shown["lease"].default == ConsumerOptions().lease


def test_decorators_and_calls_show_their_options() -> None:
    declared = TaskOptions.__dataclass_fields__.keys()
    assert TaskSettings.__annotations__.keys() == declared - {"context"} | {"name"}
    for decorator in (Huey.task, Huey.context_task, Huey.periodic_task):
        assert declared - parameters_of(decorator).keys() == set()
    for call in (TaskWrapper.options, TaskWrapper.schedule):
        assert CallOptions.__annotations__.keys() - parameters_of(call).keys() == set()
    assert list(parameters_of(Result.get))[:2] == ["blocking", "timeout"]


@pytest.mark.parametrize("preset", [it for it in PRESETS if it is not hueyio.BlackHoleHuey])
def test_option_that_there_is_not_is_refused_by_the_name_of_the_class(preset: type[Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{preset.__name__} has no option 'resuls'; did you mean 'results'"):
        preset(resuls=False)


def test_meant_option_is_named_where_a_name_is_close() -> None:
    with pytest.raises(ConfigurationError, match="RedisHuey has no option 'urll'; did you mean 'url'"):
        RedisHuey("a", urll="redis://localhost")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="a consumer has no option 'wrokers'; did you mean 'workers'"):
        MemoryHuey().create_consumer(wrokers=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("switch", [name for name, kind in HueyOptions.__annotations__.items() if "bool" in str(kind)])
@pytest.mark.parametrize("value", ["False", 0, None, []])
def test_switch_is_true_or_false_and_nothing_else(switch: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^{switch} must be True or False, not "):
        MemoryHuey(**{switch: value})  # type: ignore[arg-type]


def test_names_that_are_the_users_do_not_meet_those_of_hueyio() -> None:
    huey = MemoryHuey(immediate=True)
    for name in ("registry", "rules", "session", "signals", "hooks", "home", "prepare", "send"):
        setattr(huey, name, name)

    @huey.task()
    def add(a: int) -> int:
        return a + 1

    assert add.sync(1).get(blocking=True) == 2
    assert [getattr(huey, name) for name in ("registry", "session", "send")] == ["registry", "session", "send"]
