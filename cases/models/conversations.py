"""People and what was said: the second and third place where personal text may stand."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit import sources


class Person(models.Model):
    """A customer or correspondent. Everything else refers to them by this random id."""

    id = models.UUIDField(_("id"), primary_key=True, default=sources.random_id, editable=False)
    # Each index of a person begins with the shop.
    shop = models.ForeignKey(
        "cases.Shop",
        on_delete=models.PROTECT,
        related_name="people",
        verbose_name=_("shop"),
        db_index=False,
    )
    external_id = models.CharField(_("id at the shop"), max_length=64, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True, help_text=_("Lower case."))
    email_key = models.GeneratedField(
        expression=models.Func(models.F("email"), function="email_key"),
        output_field=models.TextField(_("e-mail, however it is spelled")),
        db_persist=True,
    )
    phone = models.CharField(_("phone"), max_length=32, blank=True, help_text=_("Digits only, with country."))
    whatsapp_id = models.CharField(_("WhatsApp id"), max_length=128, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    created_at = models.DateTimeField(_("first seen"))

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "email"], condition=~Q(email=""), name="person_is_one_per_address"
            ),
            models.UniqueConstraint(
                fields=["shop", "external_id"], condition=~Q(external_id=""), name="person_is_one_per_shop_id"
            ),
            models.UniqueConstraint(
                fields=["shop", "whatsapp_id"],
                condition=~Q(whatsapp_id=""),
                name="person_is_one_per_whatsapp_id",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "phone"], condition=~Q(phone=""), name="person_by_phone"),
            models.Index(
                fields=["shop", "email_key"], condition=~Q(email_key=""), name="person_by_email_key"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or str(self.id)


class Conversation(models.Model):
    """All that one person and the shop write to each other on one channel.

    `verified` says that the channel vouched for the sender; only then may templates carry order data.
    """

    class Channel(models.TextChoices):
        """How they write."""

        EMAIL = "email", _("e-mail")
        WHATSAPP = "whatsapp", _("WhatsApp")

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="conversations", verbose_name=_("person")
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    verified = models.BooleanField(_("sender verified"), default=False)
    last_inbound_at = models.DateTimeField(_("last heard from"), null=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "channel"], name="conversation_is_one_per_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.person_id}"


class Message(models.Model):
    """One message, note or machine text of a case. `labels` holds what triage found, as codes and scores."""

    class Direction(models.TextChoices):
        """Who wrote for whom."""

        IN = "in", _("from the customer")
        OUT = "out", _("to the customer")
        NOTE = "note", _("internal note")
        MACHINE = "machine", _("written by the planner")

    class State(models.TextChoices):
        """Where an outgoing message is."""

        RECEIVED = "received", _("received")
        KEPT = "kept", _("kept")
        QUEUED = "queued", _("waits to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")

    class Delivery(models.TextChoices):
        """What the channel says of an outgoing message afterwards; later words only ever go up in this order."""

        SENT = "sent", _("on its way")
        FAILED = "failed", _("not delivered")
        DELIVERED = "delivered", _("delivered")
        READ = "read", _("read")

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, related_name="messages", verbose_name=_("case")
    )
    conversation = models.ForeignKey(
        Conversation,
        null=True,
        on_delete=models.PROTECT,
        related_name="messages",
        verbose_name=_("conversation"),
    )
    event = models.OneToOneField(
        "cases.InboundEvent",
        null=True,
        on_delete=models.PROTECT,
        related_name="message",
        verbose_name=_("event"),
    )
    direction = models.CharField(_("direction"), max_length=8, choices=Direction)
    state = models.CharField(_("state"), max_length=12, choices=State)
    author = models.CharField(
        _("written by"), max_length=150, blank=True, help_text=_("Staff user name or planner.")
    )
    header_id = models.CharField(
        _("Message-ID"),
        max_length=255,
        blank=True,
        help_text=_("Of an e-mail, as its writer's program gave it."),
    )
    delivery = models.CharField(_("delivery"), max_length=12, choices=Delivery, blank=True)
    delivery_error = models.CharField(_("why it was not delivered"), max_length=64, blank=True)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=8, blank=True)
    attachments = models.PositiveSmallIntegerField(_("attachments"), default=0)
    template = models.ForeignKey(
        "cases.Template", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("template")
    )
    labels = models.JSONField(_("what triage found"), default=dict)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(direction="in") | Q(event__isnull=False), name="inbound_message_names_its_event"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(delivery="failed"), name="message_not_delivered"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.pk}"


class Template(models.Model):
    """A text that may leave the building, as an immutable version. `{name}` fields are filled by the server.

    `order_data` marks texts that tell something about an order: they go to the order's own contact only.
    """

    key = models.SlugField(_("key"))
    language = models.CharField(_("language"), max_length=8)
    version = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("body"))
    order_data = models.BooleanField(_("tells order data"))
    active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["key", "language", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "language", "version"], name="template_version_is_written_once"
            ),
            models.UniqueConstraint(
                fields=["key", "language"], condition=Q(active=True), name="template_has_one_version_in_use"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.language}, v{self.version})"
