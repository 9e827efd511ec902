"""Every address of the project is looked at, as a person, a browser or a mail scanner would: nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, resolve, reverse

from audit.models import Entry
from cases.models import Shop
from opsagent.buttons import BUTTONS
from tests.admin.conftest import SignIn
from tests.admin.test_pages import a_day

# Who is signed in, and the challenge that a page shows for a second factor to answer: neither decides anything. Of the
# log a look may leave only that somebody has seen a document which names a buyer.
OF_THE_LOOK_ITSELF = {"django_session", "approvals_challenge", "audit_entry", "audit_streamhead"}
SEEN = "credit_note.downloaded"
Tables = dict[str, tuple[int, int]]


def tables() -> Tables:
    """How many rows each table has, and a sum over all that stands in them."""
    found = {}
    with connection.cursor() as cursor:
        for name in sorted(set(connection.introspection.table_names(cursor)) - OF_THE_LOOK_ITSELF):
            row_sum = "COALESCE(sum(hashtextextended(t::text, 0)::numeric), 0)"
            cursor.execute(f'SELECT count(*), {row_sum} FROM "{name}" AS t')  # noqa: S608 - names of our own tables
            count, total = cursor.fetchone()
            found[name] = (int(count), int(total))
    found["log"] = (Entry.objects.exclude(action=SEEN).count(), 0)
    return found


def changed(before: Tables) -> list[str]:
    now = tables()
    return [name for name in before if before[name] != now[name]]


def patterns(
    among: list[URLPattern | URLResolver], spaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, int]]:
    """Each address's full name, and how many arguments it takes."""
    for one in among:
        if isinstance(one, URLResolver):
            inner = (*spaces, one.namespace) if one.namespace else spaces
            yield from patterns(one.url_patterns, inner)
        elif one.name:
            yield ":".join((*spaces, one.name)), one.pattern.regex.groups


VERSIONS = {"limits": "limitversion", "caps": "capsversion", "terms": "termsversion"}


def model_of(name: str) -> str:
    """The label of the model whose rows an address is about, where its name says so."""
    short = name.rsplit(":", maxsplit=1)[-1]
    if short in BUTTONS:
        return BUTTONS[short].model
    if short.split("_")[-1] in VERSIONS:
        return f"approvals.{VERSIONS[short.split('_')[-1]]}"
    for model in admin.site._registry:
        if short.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return model._meta.label_lower
    return ""


def addresses(name: str, arguments: int) -> list[str]:
    """The address for the first rows that it may be about; hooks are a shop's, and the rest finds no row."""
    if not arguments:
        return [reverse(name)]
    label = model_of(name)
    if label:
        rows = apps.get_model(label)._default_manager.order_by("pk")
        most = 3 if label == "approvals.approvalrequest" else 1
        return [reverse(name, args=[pk]) for pk in rows.values_list("pk", flat=True)[:most]]
    for key in ("north", 1, "cases"):
        with suppress(NoReverseMatch):
            return [reverse(name, args=[key])]
    raise AssertionError(f"no address for {name}")


def of_a_model(url: str) -> bool:
    """Whether it is a list of rows or a row's page, or a button."""
    name = resolve(url).url_name or ""
    return name in BUTTONS or name.endswith(("_changelist", "_add", "_change", "_delete", "_history"))


def everything() -> list[str]:
    known = [pair for pair in patterns(get_resolver().url_patterns) if pair[1] <= 1]
    return [url for name, arguments in known for url in addresses(name, arguments)]


@pytest.fixture
def reader(sign_in: SignIn, shop: Shop) -> Client:
    """Somebody with every role, whose first look has filled what is kept for all pages."""
    a_day(shop)
    client = sign_in("finance approver", "limit author", "limit publisher", "auditor", "admin", "agent")
    client.get(reverse("admin:index"))
    return client


def test_looking_at_whatever_has_a_form_of_its_own_changes_nothing(reader: Client) -> None:
    """All but Django's own pages of rows and the buttons, each of which is refused by itself."""
    urls, before = [url for url in everything() if not of_a_model(url)], tables()
    assert len(urls) > 40
    for url in urls:
        reader.get(url, headers={"Sec-Purpose": "prefetch"})
    assert changed(before) == []


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_looking_at_everything_changes_nothing(reader: Client) -> None:
    urls, before = everything(), tables()
    assert len(urls) > 250
    for url in urls:
        reader.get(url, headers={"Sec-Purpose": "prefetch"})
        reader.head(url)
    assert changed(before) == []
    # Who isn't signed in, as a mail scanner.
    for url in urls:
        Client().get(url)
    assert changed(before) == []


def test_a_write_behind_a_page_would_be_seen(shop: Shop) -> None:
    before = tables()
    Shop.objects.update(name="Other")
    assert changed(before) == ["cases_shop"]
