"""The code that the demo prints is one that still opens the door once somebody has typed it."""

from __future__ import annotations

import time
from io import StringIO

import pytest
from django.core.management import call_command
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from cases.models import User
from opsagent.environment import DEMO

pytestmark = pytest.mark.django_db
# The first second of a time step.
STEP_BEGINS = 1_800_000_000.0


@pytest.fixture
def device(settings: Settings) -> TOTPDevice:
    settings.MODE = DEMO
    fay = User.objects.create_user("fay")
    return TOTPDevice.objects.create(user=fay, name="demo", confirmed=True, tolerance=0)


def printed(monkeypatch: pytest.MonkeyPatch, at: float) -> str:
    """What the command says when it is started at this moment; waiting takes no time of the test's."""
    clock = [at]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.append(clock.pop() + seconds))
    out = StringIO()
    call_command("demo_code", "fay", stdout=out)
    return out.getvalue()


def code_at(device: TOTPDevice, at: float) -> str:
    code = TOTP(device.bin_key, device.step, device.t0, device.digits)
    code.time = at
    return f"{code.token():06d}"


def test_a_code_is_printed_at_once_while_there_is_time_to_type_it(
    device: TOTPDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(monkeypatch, STEP_BEGINS + 25) == f"{code_at(device, STEP_BEGINS)}  (for 5 more seconds)\n"


def test_a_code_that_is_about_to_end_is_not_printed_but_the_next_one(
    device: TOTPDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = printed(monkeypatch, STEP_BEGINS + 27)
    assert f"\n{code_at(device, STEP_BEGINS + 30)}  (for 30 more seconds)" in told
    assert code_at(device, STEP_BEGINS) not in told


def test_a_code_that_was_used_is_not_printed_again(
    device: TOTPDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.last_t = int(STEP_BEGINS // 30)
    device.save()
    assert f"\n{code_at(device, STEP_BEGINS + 30)}  (for" in printed(monkeypatch, STEP_BEGINS + 2)
