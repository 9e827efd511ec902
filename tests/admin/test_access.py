"""Who sees what: roles, shops, and rows that nobody may touch."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from cases.models import Shop, User
from tests import factories as f
from tests.admin.conftest import SignIn, client_of

HISTORY = [
    "approvals.approvalrequest", "approvals.capsversion", "approvals.decision", "approvals.exchangerate",
    "approvals.killswitch", "approvals.limitexception", "approvals.limitversion",
    "approvals.reversal", "approvals.riskflag", "audit.entry", "cases.case", "cases.eventconflict", "cases.fraudentry",
    "cases.handoff",
    "cases.inboundevent", "cases.person", "cases.template", "tools.ledgerentry", "tools.order", "tools.payment",
    "tools.toolcall",
]  # fmt: skip


@pytest.mark.parametrize("label", HISTORY)
@pytest.mark.parametrize("action", ["add", "change", "delete"])
def test_history_is_read_only_even_for_a_superuser(label: str, action: str, db: None) -> None:
    page = admin.site.get_model_admin(apps.get_model(label))
    request = client_of(f.make_user(is_superuser=True)).get("/admin/").wsgi_request
    assert not getattr(page, f"has_{action}_permission")(request)


# Reading dead letters again changes nothing of what they are.
BULK = {"cases.inboundevent": ("put_back",)}


@pytest.mark.parametrize("label", HISTORY)
def test_lists_offer_no_bulk_action_that_changes_history(label: str) -> None:
    assert admin.site.get_model_admin(apps.get_model(label)).actions == BULK.get(label)


@pytest.mark.parametrize(
    "label", ["otp_totp.totpdevice", "otp_static.staticdevice", "django_q.schedule", "django_q.ormq"]
)
def test_secrets_and_the_queue_have_no_page(label: str) -> None:
    assert not admin.site.is_registered(apps.get_model(label))


def test_staff_see_the_rows_of_their_own_shops_alone(sign_in: SignIn, shop: Shop) -> None:
    other = f.make_shop("sakura", base_currency="JPY")
    here, there = f.make_case(order=f.make_order(shop)), f.make_case(order=f.make_order(other))
    client = sign_in("agent", shops=[shop])
    html = client.get(reverse("admin:cases_case_changelist")).content.decode()
    assert here.title in html
    assert there.title not in html
    assert client.get(reverse("admin:cases_case_change", args=[here.pk])).status_code == 200
    assert client.get(reverse("admin:cases_case_change", args=[there.pk])).status_code == 404


def test_a_button_of_another_shop_does_not_exist(sign_in: SignIn, shop: Shop) -> None:
    handoff = f.make_handoff(f.make_case(order=f.make_order(f.make_shop("sakura"))))
    client = sign_in("agent", shops=[shop])
    assert client.post(reverse("admin:claim", args=[handoff.pk])).status_code == 404
    handoff.refresh_from_db()
    assert handoff.state == "waiting"


def test_a_new_colleague_without_a_shop_sees_nothing(sign_in: SignIn, shop: Shop) -> None:
    case = f.make_case(order=f.make_order(shop))
    client = sign_in("agent", shops=[])
    assert case.title not in client.get(reverse("admin:cases_case_changelist")).content.decode()
    assert client.get(reverse("admin:index")).context["waiting"].get("case", 0) == 0


def test_the_search_stays_in_the_own_shops(sign_in: SignIn, shop: Shop) -> None:
    f.make_order(f.make_shop("sakura"), name="#99001")
    found = sign_in("agent", shops=[shop]).get(reverse("admin:search"), {"q": "#99001"}).context["found"]
    assert not found


def test_nobody_reads_a_page_without_the_right_to_view_it(sign_in: SignIn, shop: Shop) -> None:
    case = f.make_case(order=f.make_order(shop))
    client = sign_in(permissions=["tools.view_order"])
    assert client.get(reverse("admin:cases_case_change", args=[case.pk])).status_code == 403


def test_a_visitor_is_sent_to_the_sign_in_page(shop: Shop) -> None:
    case = f.make_case(order=f.make_order(shop))
    response = Client().get(reverse("admin:cases_case_change", args=[case.pk]))
    assert response.status_code == 302
    assert reverse("admin:login") in response["Location"]


def test_audit_entries_are_for_auditors(sign_in: SignIn, viewer: Client) -> None:
    url = reverse("admin:audit_entry_changelist")
    assert sign_in("auditor").get(url).status_code == 200
    assert viewer.get(url).status_code == 403


def test_the_admin_role_edits_a_shop_but_not_its_address(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("admin")
    url = reverse("admin:cases_shop_change", args=[shop.pk])
    form = client.get(url).context["adminform"].form
    assert "sender_email" in form.fields
    assert "slug" not in form.fields
    values = {name: form[name].value() for name in form.fields}
    response = client.post(url, {**values, "sender_name": "Fjell & Fern help", "languages": "en"})
    assert response.status_code == 302
    shop.refresh_from_db()
    assert shop.sender_name == "Fjell & Fern help"
    assert Entry.objects.get(action="shop.changed").data == {"fields": ["sender_name"]}


def test_the_admin_role_cannot_make_a_superuser(sign_in: SignIn) -> None:
    client = sign_in("admin")
    user = f.make_user()
    url = reverse("admin:cases_user_change", args=[user.pk])
    assert "is_superuser" not in client.get(url).context["adminform"].form.fields


def test_the_admin_role_cannot_touch_a_superuser(sign_in: SignIn) -> None:
    root = f.make_user(is_superuser=True)
    client = sign_in("admin")
    url = reverse("admin:auth_user_password_change", args=[root.pk])
    assert (
        client.post(url, {"password1": "a new pass phrase", "password2": "a new pass phrase"}).status_code
        == 403
    )
    root.refresh_from_db()
    assert root.check_password(f.PASSWORD)


def test_giving_somebody_a_role_is_told_in_the_audit_log(sign_in: SignIn) -> None:
    client, user = sign_in("admin"), f.make_user(roles=["viewer"])
    url = reverse("admin:cases_user_change", args=[user.pk])
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    approver = Group.objects.get(name="approver")
    response = client.post(url, {**values, "groups": [approver.pk], "shops": []})
    assert response.status_code == 302
    entry = Entry.objects.get(action="role.changed", subject_id=str(user.pk))
    assert entry.data["added"] == ["approver"]
    assert entry.data["removed"] == ["viewer"]
    assert User.objects.get(pk=user.pk).groups.get() == approver
