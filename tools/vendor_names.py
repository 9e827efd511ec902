"""How a vendor, or a source of news, is called where people read it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Those whose name isn't their code with a capital.
NAMES: dict[str, str | Promise] = {
    "email": _("E-mail"),
    "feed": _("Supplier feed"),
    "ours": _("Ourselves"),
    "whatsapp": "WhatsApp",
}


def vendor_name(code: str) -> str:
    """The name in full: `WhatsApp` for `whatsapp`."""
    return str(NAMES.get(code, code.capitalize()))
