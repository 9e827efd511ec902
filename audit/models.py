"""The log's two tables; the triggers that chain entries and refuse changes are in the migrations."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, TypeAlias

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actions import ACTIONS
from audit.actors import KINDS

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

BEGINNING = "0" * 64


def chained(prev_hash: str, stream: str, seq: int, body: str) -> str:
    """The hash of an entry as lower-case hex; the database computes the same on insert."""
    return hashlib.sha256(f"{prev_hash}:{stream}:{seq}:{body}".encode()).hexdigest()


class StreamHead(models.Model):
    """A stream's last place and hash; only an insert of an entry moves it, and locks it until commit."""

    stream = models.TextField(_("stream"), primary_key=True)
    seq = models.BigIntegerField(_("last place"))
    hash = models.CharField(_("last hash"), max_length=64)

    class Meta:
        verbose_name = _("audit stream")
        verbose_name_plural = _("audit streams")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(seq__gte=1), name="audit_stream_has_at_least_one_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq}"


class Entry(models.Model):
    """One thing that happened, in its place in its stream; the database refuses to change or delete it.

    `body` is what the hash covers; the columns beside it repeat it for lists and filters, and
    verification compares them.
    """

    stream = models.TextField(_("stream"))
    # A trigger sets the three; the defaults make Django read them back with the same INSERT.
    seq = models.BigIntegerField(_("place"), db_default=0, editable=False)
    prev_hash = models.CharField(_("hash before"), max_length=64, db_default="", editable=False)
    hash = models.CharField(_("hash"), max_length=64, db_default="", editable=False)
    at = models.DateTimeField(_("at"))
    action = models.CharField(_("action"), max_length=60)
    actor_kind = models.CharField(_("actor's kind"), max_length=20)
    actor_id = models.CharField(_("actor"), max_length=100)
    shop = models.ForeignKey(
        "cases.Shop",
        verbose_name=_("shop"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    subject_type = models.CharField(_("kind of subject"), max_length=100)
    subject_id = models.CharField(_("subject"), max_length=64)
    correlation_id = models.UUIDField(_("correlation id"), db_index=True)
    body = models.TextField(_("body"))

    if TYPE_CHECKING:
        shop_id: int | None

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["stream", "seq"], name="audit_entry_has_its_place_in_the_stream"),
            models.CheckConstraint(
                condition=Q(seq__gte=1) & Q(hash__regex="^[0-9a-f]{64}$"),
                name="audit_entry_is_chained",
            ),
            models.CheckConstraint(
                condition=Q(actor_kind__in=KINDS), name="audit_entry_names_a_known_kind_of_actor"
            ),
        ]
        indexes = [
            # With the action, so that how often each change was told is counted in the index alone.
            models.Index(
                fields=["subject_type", "subject_id", "id"], include=["action"], name="audit_entry_by_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq} {self.action}"

    @property
    def sentence(self) -> str:
        """What happened, for a reader; the bare name of an action that is no longer in the table."""
        return str(ACTIONS.get(self.action, self.action))

    @property
    def data(self) -> dict[str, Json]:
        data: dict[str, Json] = json.loads(self.body)["data"]
        return data

    def written(self, data: Json) -> str:
        """The canonical JSON text of this row's columns with `data`: sorted keys, no spaces, UTF-8."""
        return json.dumps(
            {
                "action": self.action,
                "actor": {"id": self.actor_id, "kind": self.actor_kind},
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "correlation_id": str(self.correlation_id),
                "data": data,
                "shop": self.shop_id,
                "subject": {"id": self.subject_id, "type": self.subject_type},
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )
