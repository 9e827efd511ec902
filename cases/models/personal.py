"""Personal text that must outlive its message: encrypted under a key of its person, and gone with that key."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit import sources


class PersonKey(models.Model):
    """A person's random key, wrapped; deleting the row erases all that was kept under it."""

    id = models.UUIDField(_("id"), primary_key=True, default=sources.random_id, editable=False)
    person = models.OneToOneField(
        "cases.Person", on_delete=models.CASCADE, related_name="text_key", verbose_name=_("person")
    )
    wrapped = models.BinaryField(_("wrapped key"))
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("key of a person")
        verbose_name_plural = _("keys of people")

    def __str__(self) -> str:
        return str(self.id)


class ShopKey(models.Model):
    """A shop's random key, wrapped, under which what is kept encrypted is found again; never under a hash alone."""

    id = models.UUIDField(_("id"), primary_key=True, default=sources.random_id, editable=False)
    shop = models.OneToOneField(
        "cases.Shop", on_delete=models.PROTECT, related_name="finding_key", verbose_name=_("shop")
    )
    wrapped = models.BinaryField(_("wrapped key"))
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("key of a shop")
        verbose_name_plural = _("keys of shops")

    def __str__(self) -> str:
        return str(self.id)


class KnownAddress(models.Model):
    """The random id of an address. `mac` finds it, by the shop's key; the address itself stands nowhere here."""

    id = models.UUIDField(_("id"), primary_key=True, default=sources.random_id, editable=False)
    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"), db_index=False
    )
    mac = models.BinaryField(_("keyed fingerprint"))
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("known address")
        verbose_name_plural = _("known addresses")
        constraints = [
            models.UniqueConstraint(fields=["shop", "mac"], name="address_is_known_once_per_shop"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class PersonalText(models.Model):
    """A text about a person that others refer to by id. Without its key nobody can read it any more.

    `call` is the tool call that the text was kept for, before it was sent.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=sources.random_id, editable=False)
    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    key = models.ForeignKey(
        PersonKey, null=True, on_delete=models.SET_NULL, related_name="texts", verbose_name=_("key")
    )
    call = models.OneToOneField(
        "tools.ToolCall",
        null=True,
        on_delete=models.PROTECT,
        related_name="personal_text",
        verbose_name=_("tool call"),
    )
    sealed = models.BinaryField(_("encrypted text"))
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("personal text")
        verbose_name_plural = _("personal texts")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def text(self) -> str | None:
        """What it says; None once its person's key is gone."""
        # The module that encrypts reads these models itself.
        from cases import personal

        return personal.read(self)
