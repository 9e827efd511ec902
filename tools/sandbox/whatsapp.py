"""WhatsApp Cloud API: template messages. There is no idempotency key, so a repeated request sends twice.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages (v23.0)
"""

import re
from hmac import compare_digest
from sqlite3 import Connection

from tools.sandbox import store
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, iso, token

PATH = re.compile(r"^/v\d+\.\d+/(?P<phone>[^/]+)/messages$")


class RefusedError(Exception):
    """A Graph API error object."""

    def __init__(self, status: int, code: int, message: str, kind: str = "OAuthException") -> None:
        super().__init__(message)
        self.status, self.error = status, {"message": message, "type": kind, "code": code}


def operation(request: Request) -> str:
    return "messages.send" if request.method == "POST" and PATH.match(request.path) else "unknown"


def answer(request: Request, db: Connection) -> Answer:
    trace = token(request.now, request.body, length=11)
    try:
        return Answer.json(200, _send(request, db))
    except RefusedError as refusal:
        return Answer.json(refusal.status, {"error": {**refusal.error, "fbtrace_id": trace}})


def _send(request: Request, db: Connection) -> Doc:
    known = store.credentials(db, request.shop) or {}
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    secret = str(known.get("whatsapp_token") or "")
    if scheme != "Bearer" or not secret or not compare_digest(secret, given):
        raise RefusedError(401, 190, "Invalid OAuth access token - Cannot parse access token")
    path = PATH.match(request.path)
    if path is None or request.method != "POST":
        raise RefusedError(404, 2500, f"Unknown path components: {request.path}")
    if path["phone"] != str(known.get("phone_number_id")):
        problem = f"Unsupported post request. Object with ID '{path['phone']}' does not exist"
        raise RefusedError(400, 100, problem, "GraphMethodException")
    message = _template(request)
    to, number = str(message.get("to") or message["recipient"]), store.count_messages(db) + 1
    wamid = f"wamid.{token('whatsapp', request.shop, number, length=32)}"
    kept = {
        "unique_id": message.get("biz_opaque_callback_data"),
        "to": to,
        "template": message["template"]["name"],
        "language": message["template"]["language"]["code"],
        "properties": message["template"].get("components", []),
        "created_at": iso(request.now),
    }
    store.add_message(db, "whatsapp", request.shop, wamid, kept)
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, ("wa_id" if message.get("to") else "user_id"): to.lstrip("+")}],
        "messages": [{"id": wamid, "message_status": "accepted"}],
    }


def _template(request: Request) -> Doc:
    try:
        message = request.json()
    except ValueError as error:
        raise RefusedError(400, 100, "(#100) Invalid parameter: body is not JSON") from error
    if not isinstance(message, dict) or message.get("messaging_product") != "whatsapp":
        raise RefusedError(400, 100, "(#100) The parameter messaging_product is required.")
    # A number goes into `to`, a business-scoped user id into `recipient`; with both, `to` is taken.
    if not (message.get("to") or message.get("recipient")):
        raise RefusedError(400, 100, "(#100) The parameter to is required.")
    if message.get("type") != "template":
        # Free text needs an open 24-hour window, which the sandbox does not keep yet.
        raise RefusedError(400, 131047, "(#131047) Re-engagement message: only templates may be sent")
    template = message.get("template")
    if not isinstance(template, dict) or not template.get("name"):
        raise RefusedError(400, 132000, "(#132000) template.name is required")
    language = template.get("language")
    if not isinstance(language, dict) or not language.get("code"):
        raise RefusedError(400, 132000, "(#132000) template.language.code is required")
    return message


VENDOR = Vendor(operation, answer)
