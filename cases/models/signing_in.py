"""Passwords that were tried: kept for a quarter of an hour, without a name or an address."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInTry(models.Model):
    """A password that was tried and was not right, or not yet; `key` stands for one account from one address."""

    key = models.CharField(_("keyed fingerprint"), max_length=64)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("password that was tried")
        verbose_name_plural = _("passwords that were tried")
        default_permissions = ()
        indexes = [
            models.Index(fields=["key", "at"], name="sign_in_try_by_key_and_time"),
            models.Index(fields=["at"], name="sign_in_try_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
