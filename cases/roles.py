"""Who may do what: every role with its permissions, made again after each migration.

The admin role and superusers have no money right; the roles that write limits and publish them are two.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions

READS = (
    "cases.view_shop", "cases.view_case", "cases.view_message", "cases.view_handoff", "cases.view_person",
    "cases.view_conversation", "cases.view_template", "cases.view_inboundevent", "cases.view_eventconflict",
    "cases.view_refusedrequests", "cases.view_plannerconfig", "cases.view_cursor", "cases.view_connection",
    "cases.view_paymenttask", "cases.view_invariantrun", "cases.view_fraudentry",
    "approvals.view_decision", "approvals.view_approvalrequest", "approvals.view_limitversion",
    "approvals.view_capsversion", "approvals.view_exchangerate", "approvals.view_ratereading",
    "approvals.view_limitexception", "approvals.view_termsversion", "approvals.view_killswitch",
    "approvals.view_riskflag", "approvals.view_reversal",
    "tools.view_order", "tools.view_orderline", "tools.view_payment", "tools.view_shipment", "tools.view_return",
    "tools.view_dispute", "tools.view_toolcall", "tools.view_ledgerentry", "tools.view_stocklevel",
    "tools.view_supplier", "tools.view_supplieritem", "tools.view_feedrun",
    "tools.view_upstream", "tools.view_drift", "tools.view_newfield", "tools.view_creditnote",
    "cases.view_legalentity",
)  # fmt: skip
AUDIT = ("audit.view_entry", "audit.view_streamhead", "approvals.view_codeattempt")
WORK = (
    "cases.change_case", "cases.change_handoff", "cases.change_inboundevent", "approvals.lower_riskflag",
    "approvals.add_riskflag", "cases.add_fraudentry", "cases.change_fraudentry",
    "approvals.add_killswitch", "approvals.change_killswitch", "approvals.add_reversal",
)  # fmt: skip

ROLES: dict[str, tuple[str, ...]] = {
    "viewer": READS,
    "agent": (*READS, *WORK),
    "approver": (*READS, *WORK, "approvals.approve_refund"),
    "finance approver": (
        *READS, *WORK, "approvals.approve_refund", "approvals.approve_large_refund", "tools.correct_creditnote",
        "tools.issue_creditnote", "approvals.add_factorreset",
    ),
    "limit author": (
        *READS, "approvals.add_limitversion", "approvals.add_capsversion", "approvals.add_limitexception",
        "approvals.add_termsversion",
    ),
    "limit publisher": (
        *READS, "approvals.publish_limitversion", "approvals.publish_capsversion",
        "approvals.publish_termsversion", "approvals.approve_limitexception", "tools.clear_drift",
        "approvals.add_factorreset",
    ),
    "auditor": (*READS, *AUDIT),
    "admin": (
        *READS, "approvals.change_dutyhours", "approvals.add_delegation",
        "cases.add_shop", "cases.change_shop", "cases.view_user", "cases.add_user", "cases.change_user",
        "auth.view_group", "tools.clear_drift", "cases.change_inboundevent", "cases.change_connection",
        "cases.change_legalentity", "cases.add_legalentity", "approvals.add_factorreset",
    ),
}  # fmt: skip


def make_roles(apps_to_prepare: Any) -> None:
    """Create or correct every role. Idempotent; a permission taken out of the table is taken from the role."""
    from django.contrib.auth.models import Group, Permission

    for config in apps_to_prepare:
        create_permissions(config, verbosity=0)
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for name, rights in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set([known[right] for right in rights])
