"""What all our admin pages have in common: staff see the rows of their own shops, and history is only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _


def of_own_shops(rows: QuerySet[Any], user: Any, path: str = "shop") -> QuerySet[Any]:
    """The rows of the person's shops, and those that belong to none; a superuser sees all.

    `path` leads from a row to its shop. One query, whatever the number of shops.
    """
    if user.is_anonymous:
        return rows.none()
    if user.is_superuser:
        return rows
    shops: QuerySet[Any] = user.shops.values("pk")
    return rows.filter(Q(**{f"{path}__in": shops}) | Q(**{f"{path}__isnull": True}))


class ShopAdmin(admin.ModelAdmin[Any]):
    """A list and a page of rows that belong to shops.

    `shop_path` leads to the row's shop; empty for rows that belong to nobody. Where `page_template` is set, the
    page of one row is that template, filled by `page_context`, and answers to GET alone. `list_words` say over the
    list what it holds, where its name alone doesn't.
    """

    shop_path: ClassVar[str] = "shop"
    page_template: ClassVar[str] = ""
    list_words: ClassVar[str | Promise] = ""
    actions = None
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return of_own_shops(rows, request.user, self.shop_path) if self.shop_path else rows

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(
            request, {"title": title, "words": self.list_words, **(extra_context or {})}
        )

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of this row shows."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.page_template:
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.row_or_404(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": str(row),
            **self.page_context(request, row),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.page_template, context)

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row among those that the person may see."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(_("There is no such page, or it belongs to another shop."))
        return row


class HistoryAdmin(ShopAdmin):
    """Rows that only services write: nobody adds, changes or deletes them here, whatever their role."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        name = f"{self.opts.app_label}.view_{self.opts.model_name}"
        return bool(request.user.has_perm(name))


def worded(name: Callable[[str], str]) -> type[admin.AllValuesFieldListFilter]:
    """A filter by a column of codes that shows each code's `name`."""

    class Worded(admin.AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice in super().choices(changelist):
                yield {**choice, "display": capfirst(name(str(choice["display"])))}

    return Worded


def button_column(
    url_of: Callable[[Any], str], word: object, otherwise: Callable[[Any], str] = lambda row: ""
) -> Callable[[Any], str]:
    """A list's last column with a button that posts the row's action; `url_of` gives an empty text for none, and
    `otherwise` what stands there then.

    The button belongs to the list's own form, which already carries the token against forged requests.
    """

    def act(row: Any) -> str:
        url = url_of(row)
        if not url:
            return otherwise(row)
        return format_html('<button class="button" type="submit" formaction="{}">{}</button>', url, word)

    act.empty_value_display = ""  # type: ignore[attr-defined]  # as below
    act.short_description = ""  # type: ignore[attr-defined]  # how Django names a column
    return act
