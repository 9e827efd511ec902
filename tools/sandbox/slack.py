"""Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

from sqlite3 import Connection

from tools.sandbox import store
from tools.sandbox.exchange import Answer, Request, Vendor, iso, token


def operation(request: Request) -> str:
    return "message" if request.method == "POST" else "unknown"


def answer(request: Request, db: Connection) -> Answer:
    if request.method != "POST":
        return Answer.text(404, "no_service")
    try:
        body = request.json()
    except ValueError:
        return Answer.text(400, "invalid_payload")
    if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
        return Answer.text(400, "no_text")
    name = token("slack", store.count_messages(db))
    message = {
        "unique_id": None,
        "to": "slack",
        "template": None,
        "properties": body,
        "created_at": iso(request.now),
    }
    store.add_message(db, "slack", request.shop, name, message)
    return Answer.text(200, "ok")


VENDOR = Vendor(operation, answer)
