"""Which failures are alike."""

from __future__ import annotations

import pytest

from hueyio.control.failure_group import group_of, normalise, split_group


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("ValueError('order 20931 of 17 is gone')", "ValueError('order N of N is gone')"),
        ("CarrierError('502 from carrier.example')", "CarrierError('502 from carrier.example')"),
        ("HTTPError(404)", "HTTPError(404)"),
        ("KeyError('name')", "KeyError('name')"),
        ("OSError('no 0193f2a0-7c3e-7abc-8def-0123456789ab here')", "OSError('no <id> here')"),
        ("RuntimeError(<app.Order object at 0x7f3a2b1c>)", "RuntimeError(<app.Order object at <address>>)"),
        ("ConnectError('10.0.0.12:5432 refused')", "ConnectError('N refused')"),
        ("MailError('ann.b+c@shop.example is unknown')", "MailError('<email> is unknown')"),
        ("AuthError('token 3f9a8b7c6d5e4f3a has expired')", "AuthError('token <id> has expired')"),
        ("TimeoutError('after 12.5 s, at 2026-11-29 03:00:12')", "TimeoutError('after N s, at N N')"),
        ("LookupError('user1234567')", "LookupError('userN')"),
        ("ValueError()", "ValueError()"),
        ("\n  first line\nsecond line", "first line"),
        ("", ""),
    ],
)
def test_error_is_told_without_what_varies(error: str, told: str) -> None:
    assert normalise(error) == told


def test_error_is_cut_when_it_is_long() -> None:
    assert normalise("e" * 11 + " x" * 10_000).endswith("…")
    assert len(normalise("x " * 10_000)) <= 161


def test_errors_are_alike_when_they_differ_in_ids() -> None:
    one, two = (group_of("app.pay", f"ValueError('order {number}')") for number in (17, 20931))
    assert one == two
    assert split_group(one) == ("app.pay", "ValueError('order N')")
    assert group_of("app.pay", "ValueError('no')") != group_of("app.mail", "ValueError('no')")
