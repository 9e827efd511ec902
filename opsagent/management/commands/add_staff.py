"""Adds a member of staff: account, roles, shops and, for those who sign large refunds, an authenticator."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from io import StringIO
from typing import Any

import segno
from django.core.management.base import BaseCommand, CommandError

from approvals.errors import Refusal
from approvals.services import has_right
from audit.actors import SYSTEM
from cases.models import User
from cases.roles import ROLES
from cases.staff import add_staff, give_authenticator


class Command(BaseCommand):
    help = (
        "Adds a member of staff with roles and shops, told in the audit log. A new account gets a password that is"
        " printed once; who signs large refunds gets an authenticator. Run again, it adds roles and shops only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--role", action="append", default=[], choices=sorted(ROLES), help="may be repeated"
        )
        parser.add_argument("--shop", action="append", default=[], help="short name; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        password = secrets.token_urlsafe(12)
        try:
            user, is_new = add_staff(
                options["username"],
                roles=options["role"],
                shops=options["shop"],
                password=password,
                by=SYSTEM,
            )
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"{user.username}: password {password}" if is_new else f"{user.username} is there.")
        if has_right(User.objects.get(pk=user.pk), "approvals.approve_large_refund"):
            self._authenticator(user)

    def _authenticator(self, user: User) -> None:
        device = give_authenticator(user, by=SYSTEM)
        if device is None:
            self.stdout.write("The authenticator stays as it is.")
            return
        self.stdout.write(f"Scan this with an authenticator app: {device.config_url}")
        drawing = StringIO()
        segno.make(device.config_url, micro=False).terminal(out=drawing, compact=True)
        self.stdout.write(drawing.getvalue())
