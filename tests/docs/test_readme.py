"""README's tables, lists and steps against the code that they speak of."""

from __future__ import annotations

import io
import re
import shlex
from base64 import b64encode
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

from approvals import caps, limits, second_factor
from approvals.admin.decisions import SOURCES
from approvals.caps import UNITS_OF
from approvals.limits import DEFAULTS
from approvals.models import LimitVersion
from cases.fraud import velocity
from cases.intake.mail import PROVIDERS
from cases.models import Handoff, Shop, User
from cases.roles import ROLES
from cases.webhooks import LARGEST
from opsagent.demo.cast import STAFF
from opsagent.environment import SHOP_VARIABLES, VARIABLES, Variable
from tests.docs.pages import ROOT, blocks, page, rows, section
from tests.factories import make_shop
from tools.adapters import shopify_documents, shopify_webhooks, stripe_webhooks
from tools.catalog.channels import METRIC
from tools.execution import SAME_KEY_FOR
from tools.types import Money
from tools.vendor_templates import TEMPLATE

README = "README.md"


def default(variable: Variable) -> str:
    return f"`{variable.default}`" if variable.default and " " not in variable.default else variable.default


def test_each_variable_stands_in_its_table_with_what_happens_without_it() -> None:
    table = rows(section(README, "### Every variable"))
    ours = [[f"`{v.name}`", v.meaning, default(v) or "none", v.missing] for v in VARIABLES]
    shops = [
        [f"`{v.name}`", group.vendor, v.meaning, default(v) or "none", v.missing]
        for group in SHOP_VARIABLES
        for v in group.variables
    ]
    assert table == [*ours, *shops]


def test_each_variable_that_an_account_reads_is_in_the_table_of_the_environment() -> None:
    code = (ROOT / "tools/adapters/accounts.py").read_text()
    read = set(re.findall(r'self\._\w+\("([A-Z_]+)"', code))
    assert read == {variable.name for group in SHOP_VARIABLES for variable in group.variables}


def test_the_two_commands_install_and_run_what_ci_runs() -> None:
    demo, tests = (block.strip() for block in blocks(README, "sh")[:2])
    install = (
        "python3 -m venv .venv && .venv/bin/python -m pip install -q --require-hashes -r requirements.txt"
    )
    assert demo == f"{install} && .venv/bin/python manage.py demo"
    assert tests == f"{install} -r requirements-dev.txt && .venv/bin/python -m pytest"
    ci = (ROOT / ".ci/run").read_text()
    installed = [line for line in ci.splitlines() if " -m pip install " in line]
    assert all("--require-hashes" in line for line in installed)
    assert re.findall(r"-r (\S+)", "\n".join(installed)) == ["requirements.txt", "requirements-dev.txt"]
    # Last in the file, and as it stands there.
    assert shlex.split(ci.splitlines()[-1]) == ["step", "python", "-m", "pytest"]


def test_a_developers_own_settings_decide_nothing_in_ci() -> None:
    lines = (ROOT / ".ci/run").read_text().replace("\\\n", " ").splitlines()
    unset = {name for line in lines if line.startswith("unset ") for name in shlex.split(line)[1:]}
    mine = {v.name for v in VARIABLES if v.name.startswith(("OPSAGENT_LLM_", "OPSAGENT_PLANNER"))}
    assert unset >= mine | {"DATABASE_URL", "OPSAGENT_MODE", "OPSAGENT_DATA_DIR", "DJANGO_SETTINGS_MODULE"}


@pytest.mark.parametrize(
    ("heading", "known"),
    [("### Shopify", shopify_webhooks.PARSERS), ("### Stripe", stripe_webhooks.PARSERS)],
)
def test_the_topics_to_subscribe_to_are_those_that_are_read(heading: str, known: dict[str, object]) -> None:
    text = section(README, heading)
    form = (
        r"`([a-z_]+/[a-z_]+)`"
        if heading == "### Shopify"
        else r"`((?:charge|invoice_payment|refund|radar)\.[a-z_.]+)`"
    )
    assert set(re.findall(form, text)) == set(known)


def test_what_must_be_set_up_at_vendors_has_the_names_that_the_code_uses() -> None:
    assert f"`{METRIC}`" in section(README, "### E-mail")
    assert f"`{TEMPLATE}`" in section(README, "### WhatsApp")
    assert f"version {shopify_documents.VERSION} " in section(README, "### Shopify")
    assert [name for name in PROVIDERS if f"`{name}`" not in section(README, "### E-mail")] == []


def test_webhook_addresses_lead_to_a_door() -> None:
    addresses = set(re.findall(r"/hooks/<short name>/[a-z/]+/", page(README)))
    assert {resolve(address.replace("<short name>", "acme")).url_name for address in addresses} == {
        "hook-shopify",
        "hook-stripe",
        "hook-whatsapp",
        "hook-email",
    }


def test_the_limits_of_a_new_shop_are_told_as_they_are() -> None:
    table = [row for row in rows(section(README, "## Where do I change …")) if row[0] in DEFAULTS]
    lines = ("auto_up_to", "one_approver_up_to", "two_people_above", "two_factor_up_to")
    assert table == [
        [currency, *(str(Money(limits.defaults(currency)[f"{line}_minor"], currency)) for line in lines)]
        for currency in DEFAULTS
    ] + [[currency, *caps_in_words(currency)] for currency in UNITS_OF]


def caps_in_words(currency: str) -> list[str]:
    numbers = caps.defaults(currency)
    each = {numbers[f"{scope}_cap_minor"] for scope in ("order", "customer", "instrument", "address")}
    assert len(each) == 1
    amounts = (each.pop(), numbers["day_cap_minor"], numbers["budgets"]["rules"], numbers["budgets"]["llm"])
    return [str(Money(amount, currency)) for amount in amounts]


def test_the_times_and_sizes_of_a_new_shop_are_told_as_they_are() -> None:
    numbers, text = caps.defaults("EUR"), " ".join(page(README).split())
    assert f"undo window is {numbers['undo_seconds'] // 60} minutes" in text
    assert (
        f"waits {numbers['one_approver_hours']} hours on duty, a large one {numbers['large_hours']}" in text
    )
    assert f"until {numbers['rate_max_age_hours']} hours after the end of its day" in text
    assert f"pending for {numbers['risk_pending_hours']} hours" in text
    sizes = numbers["sizes"]
    assert f"At most {sizes['messages_case_day']} messages leave in a case" in text
    assert (
        f"{sizes['messages_customer_day']} to a customer in a day, {sizes['messages_shop_hour']:,} of the shop"
        in text
    )
    assert numbers["renewals"] == 2
    assert limits.UNSURE_BELOW_PERCENT == 50


def test_how_often_is_too_often_is_told_as_it_is() -> None:
    text, orders, wishes = " ".join(page(README).split()), velocity.PACES["orders"], velocity.PACES["wishes"]
    refunds = velocity.PACES["refunds"]
    assert f"more than {orders.most} orders in {orders.within // timedelta(hours=1)} hours" in text
    assert wishes.within == refunds.within
    assert f"in {wishes.within.days} days more than {wishes.most} cases that wish for money" in text
    assert f"or more than {refunds.most} refunds" in text


def test_every_reason_for_a_flag_is_told() -> None:
    told = {code.removesuffix("…") for code in re.findall(r"`([a-z._]+…?)`", flags_table())}
    assert {*SOURCES} <= {source for source in SOURCES if any(source.startswith(code) for code in told)}


def flags_table() -> str:
    return section(README, "## Where do I change …").partition("| Flag | Raised |")[2].partition("\n\n")[0]


def test_figures_in_the_text_are_those_of_the_code() -> None:
    assert second_factor.TRIES == 5
    assert timedelta(minutes=15) == second_factor.WINDOW
    assert "five wrong ones lock for fifteen minutes" in page(README).replace("\n", " ")
    assert timedelta(hours=20) == SAME_KEY_FOR
    assert "up to 20 hours" in page("CONTRIBUTING.md")
    assert max(LARGEST.values()) == 20 * 1024 * 1024
    assert re.search(r"bodies of\s+20 MB", page(README))


def test_the_tour_signs_in_as_people_who_have_the_roles_it_names() -> None:
    cast = {row[0]: row[3] for row in STAFF}
    named = re.findall(r"`(\w+)` \(([\w ]+)\)", section(README, "## A tour of the admin"))
    assert named
    assert [(name, role) for name, role in named if role not in cast[name]] == []
    assert [role for role in ROLES if role not in {role for roles in cast.values() for role in roles}] == []


def test_the_tour_names_buttons_as_they_are_written() -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "templates/admin").rglob("*.html"))
    tour = section(README, "## A tour of the admin")
    buttons = [words for words in re.findall(r"\*\*([^*]+)\*\*", tour) if not words.endswith("?")]
    assert buttons
    parts = [part.strip() for words in buttons for part in words.split("…") if part.strip()]
    assert [part for part in parts if part not in written] == []


def test_the_steps_to_open_a_shop_open_one(db: None) -> None:
    [block] = [block for block in blocks(README, "sh") if "open_shop" in block]
    commands = [shlex.split(line)[2:] for line in block.replace("\\\n", " ").splitlines() if line.strip()]
    assert commands.pop(0) == ["migrate"]
    screen = io.StringIO()
    for command in commands:
        call_command(*command, stdout=screen)
    shop = Shop.objects.get(slug="acme")
    assert (shop.env_prefix, shop.languages, shop.staff.count()) == ("ACME", ["de", "en"], 2)
    assert LimitVersion.objects.filter(shop=shop, published_at__isnull=False).count() == len(DEFAULTS)
    assert User.objects.get(username="fay").has_perm("approvals.approve_large_refund")
    assert len(screen.getvalue().splitlines()) > 20


def test_the_letter_to_try_calls_a_person(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_shop("north")
    monkeypatch.setenv("NORTH_ANYMAIL_WEBHOOK_SECRETS", "postmark:secret")
    [curl] = [block for block in blocks(README, "sh") if "curl" in block]
    [(path, body)] = re.findall(r"localhost:8000(/\S+) -d '(.+?)'", curl, re.DOTALL)
    basic = {"Authorization": f"Basic {b64encode(b'postmark:secret').decode()}"}
    answer = Client().post(path, body, content_type="application/json", headers=basic)
    assert answer.status_code == 200
    assert Handoff.objects.get().reason == Handoff.Reason.LEGAL


def test_a_newcomer_finds_limit_template_and_tool() -> None:
    table = {row[0].strip("*"): row[1] for row in rows(section(README, "## Where do I change …"))}
    assert "approvals/limits.py" in table["the refund limit"]
    assert "templates/messages/<lang>/<key>.txt" in table["a message template"]
    assert "CONTRIBUTING.md#adding-a-tool" in table["a tool"]


def test_parts_come_in_the_order_in_which_they_are_needed() -> None:
    order = [
        "Two commands",
        "How an event",
        "A tour",
        "Connect real",
        "Choose a",
        "Run it",
        "Commands",
        "Where do",
    ]
    places = [page(README).index(f"\n## {heading}") for heading in [*order, "Why it is like this"]]
    assert places == sorted(places)
