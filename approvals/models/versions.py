"""What all numbers have in common that people write and others put in force: a row that is never edited."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Version(models.Model):
    """One set of numbers of a shop with who wrote it, why, who published it and from when it holds.

    A change is a new version. In force is the highest one that is published and effective; one that was withdrawn, by
    its author or by somebody who might have published it, never is. `KEYS` name the columns that
    a run of versions is counted by, `NUMBERS` those that a version says something in; all else is about the row itself.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("shop_id",)
    NUMBERS: ClassVar[tuple[str, ...]] = ()

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="%(class)ss", verbose_name=_("shop")
    )
    version = models.PositiveIntegerField(_("version"))
    reason = models.CharField(_("reason"), max_length=500)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("author"),
        help_text=_("Empty for the conservative defaults that a new shop starts with."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("published by"),
    )
    published_at = models.DateTimeField(_("published"), null=True)
    effective_at = models.DateTimeField(_("effective"), null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("withdrawn or declined by"),
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    withdrawn_reason = models.CharField(_("why it was withdrawn"), max_length=500, blank=True)
    restores = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("brings back"),
        help_text=_("The version whose numbers these are."),
    )

    class Meta:
        abstract = True

    def numbers(self) -> dict[str, Any]:
        """What this version says, by the name of the column."""
        return {name: getattr(self, name) for name in self.NUMBERS}

    def key(self) -> dict[str, Any]:
        """The run of versions that this one belongs to."""
        return {name: getattr(self, name) for name in self.KEYS}

    def siblings(self) -> models.QuerySet[Self]:
        """Every version of the same run, the newest first."""
        return type(self)._default_manager.filter(**self.key()).order_by("-version")


def kept(noun: str, *keys: str) -> list[models.BaseConstraint]:
    """The constraints of a table of versions, whose names begin with `noun`; `keys` are the fields beside the shop."""
    return [
        models.UniqueConstraint(fields=["shop", *keys, "version"], name=f"{noun}_version_is_written_once"),
        models.CheckConstraint(
            condition=Q(published_at__isnull=True, effective_at__isnull=True, published_by__isnull=True)
            | Q(published_at__isnull=False, effective_at__isnull=False, effective_at__gte=F("published_at")),
            name=f"published_{noun}_say_from_when",
        ),
        models.CheckConstraint(
            condition=Q(published_by__isnull=True) | Q(author__isnull=True) | ~Q(author=F("published_by")),
            name=f"{noun}_author_does_not_publish",
        ),
        models.CheckConstraint(
            # Defaults have neither; what a person wrote, a person publishes.
            condition=Q(author__isnull=True) | Q(published_at__isnull=True) | Q(published_by__isnull=False),
            name=f"{noun}_of_people_are_published_by_people",
        ),
        models.CheckConstraint(
            condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdrawn_reason="")
            | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, published_at__isnull=True)
            & ~Q(withdrawn_reason=""),
            name=f"withdrawn_{noun}_name_who_and_why_and_never_hold",
        ),
    ]
