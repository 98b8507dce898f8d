"""The setting ``HUEYIO``: what it says, and what is refused with one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from hueyio import ConfigurationError, MemoryHuey
from hueyio.contrib.django.huey_settings import read_huey, worker_variables
from hueyio.contrib.django.queues import make_huey
from hueyio.contrib.django.settings import QueueSettings, SettingsError, read_settings

IN_MEMORY = {"CLASS": "hueyio.MemoryHuey"}


def test_one_queue_when_there_is_no_dict_of_queues() -> None:
    (queue,) = read_settings({"FILE": "tasks.db"}).values()
    assert queue == QueueSettings(
        alias="default", made_by="hueyio.SqliteHuey", name="default", options={"filename": "tasks.db"}, where="HUEYIO"
    )


def test_several_queues_have_classes_by_their_places() -> None:
    given = {
        "default": {"URL": "redis://localhost", "NAME": "shop"},
        "files": {"CLASS": "hueyio.FileHuey", "FILE": "folder", "OPTIONS": {"levels": 1}},
        "memory": IN_MEMORY,
    }
    read = [it for it in read_settings(given).values() if isinstance(it, QueueSettings)]
    assert [(it.made_by, it.name, dict(it.options)) for it in read] == [
        ("hueyio.RedisHuey", "shop", {"url": "redis://localhost"}),
        ("hueyio.FileHuey", "files", {"path": "folder", "levels": 1}),
        ("hueyio.MemoryHuey", "memory", {}),
    ]


def test_huey_is_taken_as_it_is() -> None:
    huey = MemoryHuey("mine")
    assert read_settings({"default": huey}) == {"default": huey}


def test_classes_of_both_forms_are_made() -> None:
    for path in ("hueyio.MemoryHuey", "hueyio.blocking.MemoryHuey"):
        made = make_huey(
            QueueSettings(alias="default", made_by=path, name="shop", options={"utc": False}, where="HUEYIO")
        )
        assert (made.name, made.utc) == ("shop", False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "HUEYIO is not set; write into your settings"),
        ("redis://:s3cret@localhost", "HUEYIO must be a dict of queues"),
        ({}, "HUEYIO must be a dict of queues"),
        ({"mails": IN_MEMORY}, "HUEYIO has no queue 'default'"),
        ({"default": IN_MEMORY, "a-b": IN_MEMORY}, "'a-b' is no name of a queue"),
        ({"default": IN_MEMORY, "_x": IN_MEMORY}, "'_x' is no name of a queue"),
        (
            {"default": "redis://:s3cret@localhost"},
            "HUEYIO['default'] must be a dict with CLASS, NAME, URL, FILE, OPTIONS, or a Huey",
        ),
        (
            {"default": {"name": "a"}},
            "HUEYIO['default'] knows CLASS, NAME, URL, FILE, OPTIONS, not 'name'; did you mean",
        ),
        ({"default": {}}, "HUEYIO['default'] names no place: give FILE for an SQLite file, URL for a server, or CLASS"),
        ({"FILE": "a", "URL": "redis://"}, "HUEYIO names two places, URL and FILE"),
        ({"URL": "postgres://:s3cret@localhost"}, "HUEYIO: URL must begin with redis://, rediss://, unix://"),
        ({"CLASS": MemoryHuey}, "HUEYIO: CLASS must be the path of a class"),
        ({"CLASS": "hueyio.MemoryHuey", "OPTIONS": [1]}, "HUEYIO: OPTIONS must be a dict of keywords"),
    ],
)
def test_sentence_when_the_setting_is_wrong(given: Any, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(given)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, ImproperlyConfigured)


@pytest.mark.parametrize(
    ("made_by", "options", "said"),
    [
        ("hueyio.NoHuey", {}, "HUEYIO['default']: there is no class 'hueyio.NoHuey'"),
        ("nowhere.Huey", {}, "HUEYIO['default']: there is no class 'nowhere.Huey'"),
        ("hueyio.MemoryHuey", {"utcc": True}, "utcc"),
        ("builtins.dict", {}, "HUEYIO['default']: "),
        ("hueyio.Task", {}, "makes no Huey"),
    ],
)
def test_sentence_when_nothing_can_be_made(made_by: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_huey(QueueSettings(alias="default", made_by=made_by, name="a", options=options, where="HUEYIO['default']"))
    assert said in str(caught.value)


def test_setting_of_huey_is_read_when_a_project_comes_from_it() -> None:
    given = {
        "huey_class": "huey.SqliteHuey",
        "results": False,
        "connection": {"filename": "old.db"},
        "consumer": {"workers": 4, "worker_type": "thread", "periodic": False},
    }
    queue = read_huey(given, "shop.db", debug=True)
    assert queue == QueueSettings(
        alias="default",
        made_by="hueyio.SqliteHuey",
        name="shop.db",
        options={"results": False, "immediate": True, "filename": "old.db"},
        where="HUEY",
    )
    assert worker_variables(given) == {"HUEYIO_WORKERS": "4", "HUEYIO_NO_PERIODIC": "1"}
    assert worker_variables({}) == worker_variables(MemoryHuey("a")) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("redis", "HUEY must be a dict, or a Huey of hueyio"),
        ({"connection": 6379}, "HUEY: connection must be a dict"),
        ({"huey_class": MemoryHuey}, "HUEY: huey_class must be the path of a class"),
        ({"huey_class": "huey.contrib.sql_huey.SqlHuey"}, "hueyio has no huey.contrib.sql_huey.SqlHuey"),
    ],
)
def test_sentence_when_the_setting_of_huey_is_wrong(given: Any, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_huey(given, "shop.db", debug=False)
    assert said in str(caught.value)
