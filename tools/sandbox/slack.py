"""Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

from sqlite3 import Connection

from tools.sandbox import books
from tools.sandbox.exchange import Answer, Request, Vendor, token

MOST_BLOCKS = 50


def operation(request: Request) -> str:
    return "webhook" if request.method == "POST" else "unknown"


def answer(request: Request, db: Connection) -> Answer:
    if request.method != "POST":
        return Answer.text(404, "no_service")
    try:
        body = request.json()
    except ValueError:
        return Answer.text(400, "invalid_payload")
    if not isinstance(body, dict):
        return Answer.text(400, "invalid_payload")
    if not (body.get("text") or body.get("blocks") or body.get("attachments")):
        return Answer.text(400, "no_text")
    blocks = body.get("blocks") or []
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS:
        return Answer.text(400, "invalid_blocks")
    name = token("slack", books.count_messages(db))
    message = {
        "unique_id": None,
        "to": "slack",
        "template": None,
        "properties": body,
        "created_at": request.at,
    }
    books.add_message(db, "slack", request.shop, name, message)
    return Answer.text(200, "ok")


VENDOR = Vendor(operation, answer)
