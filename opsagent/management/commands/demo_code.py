"""Prints the current one-time code of a demo account."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_otp.oath import TOTP

from opsagent.demo.cast import STAFF, device_of
from opsagent.environment import DEMO

# A code that ends sooner is refused before anybody has typed it, since no neighbouring time step counts.
LEAST_SECONDS = 5


class Command(BaseCommand):
    help = "Prints the current one-time code of a demo account, in demo mode only: python manage.py demo_code fay"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=[row[0] for row in STAFF], help="the account's user name")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        if settings.MODE != DEMO:
            raise CommandError("Codes are printed in demo mode only.")
        device = device_of(name)
        if device is None:
            raise CommandError(f"{name} has no authenticator yet: run `python manage.py demo` first.")
        code = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
        code.time = time.time()
        left = device.step - int(time.time()) % device.step
        # A code works once: who has just signed in needs the next one to sign a refund.
        used = device.last_t >= code.t()
        if used or left < LEAST_SECONDS:
            why = "was used" if used else "is about to end"
            self.stdout.write(f"The present code {why}; the next one comes in {left} seconds.")
            time.sleep(left)
            code.time, left = time.time(), device.step
        self.stdout.write(f"{code.token():0{device.digits}d}  (for {left} more seconds)")
