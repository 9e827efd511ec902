"""WhatsApp messages both ways: what may be sent when, what came in, and the webhooks that tell of both.

Free text needs a message of that person within the last 24 hours, a template must be approved for its language:
https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages
"""

import json
import re
from sqlite3 import Connection
from uuid import uuid4

from tools.sandbox import books, outbox, store, things
from tools.sandbox.exchange import Doc, Request, When, token
from tools.sandbox.whatsapp_errors import RefusedError

WINDOW_SECONDS = 24 * 3600
USER_ID = re.compile(r"^[A-Z]{2}\.\w+$")
STATUSES = ("sent", "delivered", "read", "failed")


def send(request: Request, db: Connection) -> Doc:
    """Keeps a message and answers with its id; both statuses that follow are queued."""
    message = _checked(request)
    to = _person(message)
    if message["type"] == "text":
        _window(request, db, to)
    else:
        _approved(request, db, message)
    wamid = (
        f"wamid.{token('whatsapp', request.shop, things.next_number(db, 'wamid'), request.now, length=32)}"
    )
    template = message.get("template") or {}
    kept = {
        "id": wamid,
        "unique_id": message.get("biz_opaque_callback_data"),
        "to": to,
        "template": template.get("name"),
        "language": (template.get("language") or {}).get("code"),
        "text": (message.get("text") or {}).get("body"),
        "properties": template.get("components", []),
        "created_at": request.at,
    }
    books.add_message(db, "whatsapp", request.shop, wamid, kept)
    things.put(db, "whatsapp_sent", request.shop, kept)
    # A user id in `to` is taken for a number that nobody has: accepted, and nobody hears it.
    for status in ("failed",) if message.get("to") and USER_ID.match(to) else ("sent", "delivered"):
        status_changed(db, request.shop, kept, status, request.when)
    known_as = "wa_id" if message.get("to") else "user_id"
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, known_as: _bare(to) if known_as == "wa_id" else to}],
        "messages": [{"id": wamid, "message_status": "accepted"}],
    }


def _checked(request: Request) -> Doc:
    try:
        message = request.json()
    except ValueError as error:
        raise RefusedError(400, 100, "(#100) Invalid parameter: body is not JSON") from error
    if not isinstance(message, dict) or message.get("messaging_product") != "whatsapp":
        raise RefusedError(400, 100, "(#100) The parameter messaging_product is required.")
    # A number goes into `to`, a business-scoped user id into `recipient`; with both, `to` is taken.
    if not (message.get("to") or message.get("recipient")):
        raise RefusedError(400, 100, "(#100) The parameter to is required.")
    if message.get("type") not in ("template", "text"):
        raise RefusedError(400, 100, "(#100) Param type must be one of {text, template} here")
    if message["type"] == "text":
        if not isinstance(message.get("text"), dict) or not message["text"].get("body"):
            raise RefusedError(400, 100, "(#100) The parameter text['body'] is required.")
        return message
    _check_template(message.get("template"))
    return message


def _check_template(template: object) -> None:
    if not isinstance(template, dict) or not template.get("name"):
        raise RefusedError(400, 132000, "(#132000) template.name is required")
    language = template.get("language")
    if not isinstance(language, dict) or not language.get("code"):
        raise RefusedError(400, 132000, "(#132000) template.language.code is required")


def _person(message: Doc) -> str:
    return str(message.get("to") or message["recipient"])


def _bare(address: str) -> str:
    return address.lstrip("+") if not USER_ID.match(address) else address


def _window(request: Request, db: Connection, to: str) -> None:
    opened = things.one(db, "window", request.shop, _bare(to))
    if opened is None or request.when.now - float(opened["at"]) > WINDOW_SECONDS:
        message = "(#131047) Re-engagement message: more than 24 hours since the customer last replied"
        raise RefusedError(400, 131047, message)


def _approved(request: Request, db: Connection, message: Doc) -> None:
    """Of templates that the control API has told of, only approved ones leave.

    A shop that has never been told of any may send all, so that one which doesn't care needs no list.
    """
    known = things.every(db, "template", request.shop)
    wanted = (message["template"]["name"], message["template"]["language"]["code"])
    if not known:
        return
    found = next((one for one in known if (one["name"], one["language"]) == wanted), None)
    if found is None:
        name, language = wanted
        problem = f"(#132001) Template name ({name}) does not exist in the translation ({language})"
        raise RefusedError(404, 132001, problem)
    if found["status"] == "PAUSED":
        raise RefusedError(400, 132015, "(#132015) Template is paused due to low quality")
    if found["status"] == "DISABLED":
        raise RefusedError(400, 132016, "(#132016) Template is disabled")
    if found["status"] != "APPROVED":
        raise RefusedError(404, 132001, f"(#132001) Template {wanted[0]} is not approved: {found['status']}")


def status_changed(db: Connection, shop: str, message: Doc, status: str, when: When) -> None:
    """Queues the webhook that tells what became of a message."""
    told: Doc = {
        "id": message["id"],
        "status": status,
        "timestamp": str(int(when.now)),
        "recipient_id": _bare(message["to"]),
    }
    if message.get("unique_id"):
        told["biz_opaque_callback_data"] = message["unique_id"]
    if status == "failed":
        told["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
    _tell(db, shop, {"statuses": [told]}, when)


def came_in(db: Connection, body: Doc, when: When) -> None:
    """A person wrote: opens the 24 hours for number and user id, and queues the webhook."""
    shop, number, user = body["shop"], body.get("from"), body.get("user_id")
    if not (number or user):
        raise ValueError("an inbound message needs from or user_id")
    for address in filter(None, (number, user)):
        things.put(db, "window", shop, {"id": _bare(str(address)), "at": when.now})
    contact: Doc = {"profile": {"name": body.get("name", "Customer")}}
    message: Doc = {
        "id": body.get("id") or f"wamid.{uuid4().hex}",
        "timestamp": str(int(when.now)),
        "type": "text",
        "text": {"body": str(body.get("text", ""))},
    }
    if number:
        contact["wa_id"] = message["from"] = _bare(str(number))
    if user:
        contact["user_id"] = message["from_user_id"] = str(user)
    _tell(db, shop, {"contacts": [contact], "messages": [message]}, when)


def account_id(known: Doc) -> str:
    """The business account; a shop that was registered without one gets the number's id and a 9."""
    return str(known.get("whatsapp_account") or f"{known.get('phone_number_id')}9")


def _tell(db: Connection, shop: str, content: Doc, when: When) -> None:
    if not outbox.targets(db, shop, "whatsapp"):
        return
    known = store.credentials(db, shop) or {}
    metadata = {
        "display_phone_number": str(known.get("display_phone", "15550100000")),
        "phone_number_id": str(known.get("phone_number_id")),
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata, **content}
    entry = {"id": account_id(known), "changes": [{"field": "messages", "value": value}]}
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, ensure_ascii=False).encode()
    outbox.post(db, shop, "whatsapp", "messages", raw, name=str(uuid4()), now=when.now)
