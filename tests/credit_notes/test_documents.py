"""What a document says, as page and as PDF, in every language and with every letter."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from django.template.loader import render_to_string
from pypdf import PdfReader

from audit.actors import SYSTEM
from cases import personal
from cases.models import Case, Shop
from tests import factories as f
from tests.authority.rows import order_of
from tests.credit_notes.conftest import VAT, document, refund_body
from tools.catalog import cancel_order
from tools.catalog.issue_refund import IssueRefund
from tools.credit_notes.pdf import pdf_of, printable
from tools.credit_notes.sheet import Sheet, sheet_of
from tools.credit_notes.words import LANGUAGES, words
from tools.models import CreditNote, InvoicePayment

ATTACKS = [
    "<script>alert(1)</script>",
    "{{ sheet.number }}{% now 'Y' %}",
    '" onload="x',
    "{number}{0.__class__}",
]


def read(note: CreditNote) -> str:
    """The PDF's text; no-break spaces as plain ones."""
    pages = PdfReader(io.BytesIO(pdf_of(sheet_of(note), note.issued_at))).pages
    text = "\n".join(page.extract_text() for page in pages)
    return " ".join(text.replace("\xa0", " ").replace("\u202f", " ").split())


def page(note: CreditNote) -> str:
    return render_to_string("credit_notes/document.html", {"sheet": sheet_of(note)})


def case_of(
    shop: Shop, language: str = "en", name: str = "Inês Carvalho", title: str = "Tent", **order: Any
) -> Case:
    person = f.make_person(shop, name=name)
    return f.make_case(
        order=f.make_order(shop, [(title, 1, 1500)], person=person, **order), language=language
    )


REFUND_REASONS = {*get_args(IssueRefund.model_fields["reason"].annotation), cancel_order.REASON}


def test_every_reason_of_a_refund_has_its_words_in_every_language() -> None:
    assert {"damaged", "cancelled"} <= REFUND_REASONS
    assert [(one, name) for one in LANGUAGES for name in REFUND_REASONS if name not in words(one)] == []


def test_every_language_has_the_same_words() -> None:
    assert {tuple(words(language)) for language in LANGUAGES} == {tuple(words("en"))}
    assert all(value for language in LANGUAGES for value in words(language).values())


def test_the_document_names_seller_buyer_order_amounts_and_reason(shop: Shop) -> None:
    note = document(case_of(shop, name="#1001"))
    for text in (read(note), page(note)):
        for part in (
            "CN-000001", "Fjell &", "MVA NO 987654325", "Bryggegata 1", note.order.name, "€12.61", "€2.39", "€15.00",
            "MwSt 19%", "Goods arrived damaged", "Norway",
        ):  # fmt: skip
            assert part in text


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("de", ["Rechnungskorrektur", "15,00 €", "19 %", "Ware kam beschädigt an", "Käufer"]),
        ("fr", ["Avoir", "15,00 €", "Article arrivé endommagé"]),
        ("es", ["Factura rectificativa", "15,00 €", "El artículo llegó dañado"]),
        ("ja", ["クレジットノート", "商品の破損", "税込", "€15.00"]),
        ("pl", ["Credit note", "€15.00"]),
    ],
)
def test_the_document_speaks_the_customers_language(shop: Shop, language: str, parts: list[str]) -> None:
    text = read(document(case_of(shop, language)))
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(
    "name",
    [
        "Jürgen Groß",
        "Çelik Éloïse",
        "Zażółć Gęślą Jaźń",
        "髙橋 﨑子",
        "山田 花子",
        "Ελένη Παπά",
        "王小明",
        "김민준",
    ],
)
def test_the_pdf_has_the_letters_of_every_customers_name(shop: Shop, name: str) -> None:
    assert name in read(document(case_of(shop, name=name)))


def test_a_character_that_no_font_has_is_a_box_and_the_page_keeps_it(shop: Shop) -> None:
    note = document(case_of(shop, name="Ida 😀 Berg"))
    assert "Ida □ Berg" in read(note)
    assert "Ida 😀 Berg" in page(note)
    assert printable("a\u202eb\x00c\u200b") == "a b c "


@pytest.mark.parametrize(
    ("currency", "amounts"),
    [("JPY", ["¥1,500", "¥1,261"]), ("KWD", ["KWD", "1.500", "0.239"]), ("USD", ["$15.00", "$2.39"])],
)
def test_amounts_have_the_currencys_own_decimals(shop: Shop, currency: str, amounts: list[str]) -> None:
    note = document(case_of(shop, currency=currency))
    assert all(amount in page(note) for amount in amounts)
    assert all(amount.replace("\xa0", " ") in read(note) for amount in amounts)


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_from_outside_are_text_and_never_code(shop: Shop, attack: str) -> None:
    body_case = case_of(shop, name=attack, title=attack)
    assert body_case.order is not None
    body_case.order.name = attack[:32]
    body_case.order.save(update_fields=["name"])
    body = refund_body(body_case)
    body["lines"][0]["taxes"][0]["title"] = attack
    note = document(body_case, body)
    html = page(note)
    assert "<script" not in html
    assert 'onload="' not in html
    assert attack in sheet_of(note).rows[0]
    assert " ".join(attack.split()) in read(note)


def test_making_a_pdf_tells_the_log_no_letter_of_a_name(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        read(document(case_of(shop, name="髙橋 花子")))
    assert [line.name for line in caplog.records if line.name.startswith(("fontTools", "fpdf"))] == []


def test_the_page_carries_no_inline_code(shop: Shop) -> None:
    html = page(document(case_of(shop)))
    assert "<style" not in html
    assert " style=" not in html
    assert "<script" not in html


def test_a_document_of_many_lines_repeats_its_heads_on_every_page(shop: Shop) -> None:
    order = f.make_order(shop, [(f"Peg {number}", 1, 100) for number in range(120)])
    case = f.make_case(order=order)
    part = refund_body(case)["lines"][0]
    parts = [
        {**part, "line": line.pk, "amount_minor": 100, "taxes": []} for line in order.lines.order_by("pk")
    ]
    note = document(case, refund_body(case, lines=parts, amount_minor=12_000))
    pages = PdfReader(io.BytesIO(pdf_of(sheet_of(note), note.issued_at))).pages
    assert len(pages) > 2
    assert all("Gross" in one.extract_text() for one in pages)
    assert "€120.00" in read(note)


def test_the_same_document_gives_the_same_bytes(shop: Shop) -> None:
    note = document(case_of(shop, "ja", name="山田 花子"))
    first, second = (pdf_of(sheet_of(CreditNote.objects.get()), note.issued_at) for _ in range(2))
    assert first == second


def test_a_seller_who_moves_stays_as_it_was_on_what_it_has_issued(shop: Shop) -> None:
    note = document(case_of(shop))
    type(shop.legal_entity).objects.update(address="Elsewhere 9", name="New AS")
    found = CreditNote.objects.select_related("entity").get(pk=note.pk)
    assert "Bryggegata 1" in sheet_of(found).seller
    assert sheet_of(found) == sheet_of(note)


def test_an_erased_buyer_is_said_to_be_erased_and_the_rest_stays(shop: Shop) -> None:
    note = document(case_of(shop, name="Ines Carvalho"))
    before: Sheet = sheet_of(note)
    person = note.order.person
    assert person is not None
    personal.erase(person, by=SYSTEM)
    found = CreditNote.objects.get(pk=note.pk)
    assert sheet_of(found).buyer == ("(personal data erased)",)
    assert (sheet_of(found).rows, found.sha256) == (before.rows, note.sha256)
    assert "Ines" not in found.content


def test_an_order_without_a_customer_names_no_buyer(shop: Shop) -> None:
    case = f.make_case(order=f.make_order(shop, person=None), conversation=None)
    assert sheet_of(document(case)).buyer == ("(not named)",)


def test_a_duty_stands_under_its_goods_with_its_own_tax(shop: Shop) -> None:
    case = case_of(shop)
    body = refund_body(case, amount_minor=1620)
    duty_tax = {"title": "VAT", "rate_ppm": 200_000, "amount_minor": 20}
    body["lines"][0] |= {"duties_minor": 120, "duty_taxes": [duty_tax]}
    sheet = sheet_of(document(case, body))
    assert sheet.rows[1] == ("Import duties on Tent", "", "€1.00", "€0.20", "€1.20")
    assert sheet.rates[0][0] == "VAT 20%"


def test_an_order_with_an_invoice_at_stripe_is_referred_to_by_what_is_printed_on_that(shop: Shop) -> None:
    case = case_of(shop)
    InvoicePayment.objects.create(
        shop=shop,
        invoice="in_1",
        charge="ch_x",
        number="FF-2041",
        issued_at=datetime(2026, 7, 3, 12, tzinfo=UTC),
    )
    f.make_payment(order_of(case), external_id="ch_x", invoice="in_1", currency="EUR")
    assert ("For", "FF-2041 of July 3, 2026") in sheet_of(document(case)).facts


def test_an_invoice_that_could_not_be_read_leaves_the_order_as_the_reference(shop: Shop) -> None:
    case = case_of(shop)
    name = order_of(case).name
    InvoicePayment.objects.create(shop=shop, invoice="in_1", charge="ch_x")
    f.make_payment(order_of(case), external_id="ch_x", invoice="in_1", currency="EUR")
    assert any(value.startswith(f"{name} of ") for _name, value in sheet_of(document(case)).facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_kept_for_a_return_label_is_a_line_below_zero(shop: Shop, language: str) -> None:
    case = case_of(shop, language)
    body = refund_body(
        case, return_fee_minor=490, return_fee_taxes=[{**VAT, "amount_minor": 78}], amount_minor=1010
    )
    body["tenders"][0]["amount_minor"] = 1010
    note = document(case, body)
    rows = {row[0]: row[2:] for row in sheet_of(note).rows}
    fee, goods = rows[words(language)["return_fee"]], rows["Tent"]
    assert ["-" in cell or "−" in cell for cell in fee] == [True] * 3
    assert ["-" in cell or "−" in cell for cell in goods] == [False] * 3
    assert (note.gross_minor, note.tax_minor, note.net_minor) == (1010, 239 - 78, 1010 - 161)
    assert words(language)["return_fee"] in read(note)
