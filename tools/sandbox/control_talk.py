"""What the control API makes happen on WhatsApp: templates, messages that come in, statuses."""

from sqlite3 import Connection

from tools.sandbox import things, whatsapp_messages
from tools.sandbox.control_forms import ControlError, need, one_of
from tools.sandbox.exchange import Doc, When, token

# https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates
STATES = ("APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION", "DELETED",
          "LIMIT_EXCEEDED", "ARCHIVED")  # fmt: skip


def template(db: Connection, body: Doc, when: When) -> None:
    """Upserts a template by name and language."""
    need(body, ("shop", "name", "language"))
    status = body.get("status", "APPROVED")
    one_of("status", status, STATES)
    name = f"{body['name']}:{body['language']}"
    number = str(int(token(body["shop"], name), 16) % 10**15)
    doc = {
        "id": name,
        "name": body["name"],
        "language": body["language"],
        "status": status,
        "category": body.get("category", "UTILITY"),
        "components": body.get("components", [{"type": "BODY", "text": body.get("text", body["name"])}]),
        "number": number,
    }
    things.put(db, "template", body["shop"], doc)


def inbound(db: Connection, body: Doc, when: When) -> None:
    need(body, ("shop",))
    whatsapp_messages.came_in(db, body, when)


def status(db: Connection, body: Doc, when: When) -> None:
    need(body, ("shop", "id", "status"))
    one_of("status", body["status"], whatsapp_messages.STATUSES)
    message = things.one(db, "whatsapp_sent", body["shop"], body["id"])
    if message is None:
        raise ControlError(f"shop {body['shop']!r} has sent no message {body['id']!r}")
    whatsapp_messages.status_changed(db, body["shop"], message, body["status"], when)
