"""Send a person's own words."""

from __future__ import annotations

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Step, Tool
from tools.catalog.channels import OWN_WORDS, vendor_of


class Reply(Arguments):
    """Only staff write free text; the message is kept where people's words live, and named by its id."""

    message_id: int


def resolve(arguments: Reply, scope: Scope) -> Effect:
    """One message, to whom the case talks with."""
    vendor = vendor_of(scope)
    body = {"case": scope.case_id, "message": arguments.message_id}
    step = Step("send_message", vendor, {**body, "template": OWN_WORDS, "sku": ""}, template=OWN_WORDS)
    return Effect("reply", Kind.MESSAGE, {**body, "vendor": vendor}, (step,), template=OWN_WORDS)


TOOL = Tool("reply", Kind.MESSAGE, Reply, resolve, for_planner=False, leaves=Leaves.NOTHING)
