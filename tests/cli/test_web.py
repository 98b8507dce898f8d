"""``hueyio web``: it serves what it is asked for, ends at a signal, and does not start where all could come in."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.cli.shop import Shop

ON_SQLITE = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)


@ON_SQLITE
def test_dashboard_is_served_until_a_signal_comes(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    line = [sys.executable, "-m", "hueyio", "web", *shop.bare, "--port", "0", "--prefix", "/queue"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, cwd=shop.folder) as process:
        assert process.stderr is not None
        try:
            address = process.stderr.readline().partition(" ")[0]
            assert address.endswith("/queue/")
            with urllib.request.urlopen(f"{address}shop/tasks/ready", timeout=30) as answer:
                page = answer.read().decode()
            assert id in page
            assert f'href="/queue/shop/task/{id}"' in page
            # A stream that is open does not hold a stop up.
            stream = urllib.request.urlopen(f"{address}shop/events", timeout=30)
            assert stream.readline() == b"retry: 1000\n"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


@ON_SQLITE
def test_dashboard_is_refused_where_nobody_is_asked_who_he_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUEYIO_WEB_PASSWORD", raising=False)
    monkeypatch.delenv("HUEYIO_WEB_TOKEN", raising=False)
    shop.put()
    done = shop.run("web", "--host", "0.0.0.0")
    assert done.code == 78
    assert "set HUEYIO_WEB_PASSWORD" in done.err
    assert shop.run("web", "--user-header", "X-User").code == 2
    assert shop.run("web", "--prefix", "queue").code == 2
    monkeypatch.setenv("HUEYIO_WEB_PASSWORD", "tea")
    refused = shop.run("web", "--host", "192.0.2.1", "--port", "1")
    assert refused.code == 78
    assert "cannot listen on 192.0.2.1" in refused.err
