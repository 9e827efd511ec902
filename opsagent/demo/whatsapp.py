"""WhatsApp Cloud API deliveries: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks."""

from __future__ import annotations

from datetime import datetime

from opsagent.demo.script import Neutral
from opsagent.demo.shops import SHOPS


def message_body(
    shop: str, message_id: str, name: str, phone: str | None, user_id: str, text: str, at: datetime
) -> Neutral:
    """One text message; without `phone` the sender is known by a business-scoped user id alone."""
    facts = SHOPS[shop]
    contact: Neutral = {"profile": {"name": name}, "user_id": user_id}
    message: Neutral = {
        "id": message_id,
        "timestamp": str(int(at.timestamp())),
        "type": "text",
        "text": {"body": text},
        "from_user_id": user_id,
    }
    if phone:
        contact["wa_id"] = phone
        message["from"] = phone
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": facts.whatsapp_account,
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": facts.display_phone,
                                "phone_number_id": facts.phone_number_id,
                            },
                            "contacts": [contact],
                            "messages": [message],
                        },
                    }
                ],
            }
        ],
    }
