"""The register of credit notes: the list, one document with its counter-document, and the documents themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit import actors
from audit.services import record
from audit.shop_admin import HistoryAdmin
from cases.credit_notes import RIGHT, due
from tools.credit_notes.attaching import PDF, file_name
from tools.credit_notes.sheet import sheet_of
from tools.models import CreditNote
from tools.types import Money


class MonthFilter(admin.SimpleListFilter):
    """By month of the document's own date, newest first."""

    title = _("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        rows = model_admin.get_queryset(request).order_by()
        months = rows.annotate(month=TruncMonth("issued_on")).values_list("month", flat=True).distinct()
        return [(f"{month:%Y-%m}", date_format(month, "F Y")) for month in sorted(set(months), reverse=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
        try:
            first = date.fromisoformat(f"{self.value()}-01")
        except ValueError:
            return queryset
        return queryset.filter(issued_on__year=first.year, issued_on__month=first.month)


class DueFilter(admin.SimpleListFilter):
    """Those that a person has to take back."""

    title = _("counter-document")
    parameter_name = "counter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("due", _("due")), ("is", _("is one")), ("has", _("has one"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
        if self.value() == "due":
            return due(queryset)
        if self.value() == "is":
            return queryset.filter(corrects__isnull=False)
        return queryset.filter(corrected_by__isnull=False) if self.value() == "has" else queryset


@admin.register(CreditNote)
class CreditNoteAdmin(HistoryAdmin):
    list_display = ("number", "issued_on", "shop", "entity", "order", "amount", "what")
    list_filter = (
        ("entity", admin.RelatedOnlyFieldListFilter),
        MonthFilter,
        DueFilter,
        ("shop", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("=number", "=order__name")
    page_template = "admin/ops/credit_note.html"
    list_words = _(
        "Documents of refunds, numbered without a gap for each legal entity. None is ever changed."
    )

    @admin.display(description=_("amount"), ordering="gross_minor")
    def amount(self, note: CreditNote) -> str:
        return format_html('<span class="money">{}</span>', plain(note.gross))

    @admin.display(description=_("counter-document"))
    def what(self, note: CreditNote) -> str:
        if note.replaces:
            return _("replaces %(number)s") % {"number": note.replaces}
        if note.corrects:
            return _("takes back %(number)s") % {"number": note.corrects}
        other = getattr(note, "corrected_by", None)
        return _("taken back by %(number)s") % {"number": other} if other else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = (
            "shop",
            "entity",
            "order",
            "corrects",
            "corrected_by",
            "replaces",
            "replaced_by",
            "buyer__key",
            "decision__case",
        )
        return super().get_queryset(request).select_related(*related)

    def get_urls(self) -> list[URLPattern]:
        views = {"html": self.document, "pdf": self.pdf}
        own = [
            path(
                f"<int:pk>/document.{form}", self.admin_site.admin_view(view), name=f"tools_creditnote_{form}"
            )
            for form, view in views.items()
        ]
        return own + super().get_urls()

    def page_context(self, request: HttpRequest, row: CreditNote) -> dict[str, Any]:
        open_ = row.corrects_id is None and not hasattr(row, "corrected_by")
        return {
            "title": f"{row.number}, {plain(row.gross)}",
            "note": row,
            "body": row.body,
            "original_on": date.fromisoformat(row.body["original"]["date"]),
            "positions": [(position(line), line) for line in row.body["lines"]],
            "corrected_by": getattr(row, "corrected_by", None),
            "replaced_by": getattr(row, "replaced_by", None),
            "due": due(CreditNote.objects.filter(pk=row.pk)).exists(),
            "may_correct": open_ and request.user.has_perm(RIGHT),
        }

    def document(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document as a page that prints cleanly."""
        note = self._opened(request, pk, "html")
        if isinstance(note, HttpResponse):
            return note
        return TemplateResponse(request, "credit_notes/document.html", {"sheet": sheet_of(note)})

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document as a file."""
        # It loads fonts, which only few processes ever need.
        from tools.credit_notes.pdf import pdf_of

        note = self._opened(request, pk, "pdf")
        if isinstance(note, HttpResponse):
            return note
        name = file_name(note)
        content = pdf_of(sheet_of(note), note.issued_at)
        return HttpResponse(
            content, content_type=PDF, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    def _opened(self, request: HttpRequest, pk: int, form: str) -> CreditNote | HttpResponse:
        """The document of an own shop, once the log knows who opened it; or the answer that refuses it."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        with transaction.atomic():
            note: CreditNote = self.row_or_404(request, str(pk))
            record(
                "credit_note.downloaded",
                by=actors.staff(request.user),  # type: ignore[arg-type]  # signed in
                stream=f"case/{note.decision.case_id}",
                subject=note,
                shop_id=note.shop_id,
                correlation_id=note.decision.correlation_id,
                data={"number": note.number, "form": form},
            )
        return note


def position(line: dict[str, Any]) -> str:
    """What a line of a document is about, in the reader's language."""
    names = {
        "reduction": _("%(title)s, part of the price"),
        "part": _("%(title)s, part of the amount"),
        "shipping": _("Shipping"),
        "duties": _("Import duties"),
        "duty": _("Import duties on %(title)s"),
    }
    return str(names[line["kind"]]) % line if line["kind"] in names else str(line["title"])


def plain(amount: Money) -> SafeString | str:
    """An amount with a true minus sign."""
    return str(amount).replace("-", "\N{MINUS SIGN}")
