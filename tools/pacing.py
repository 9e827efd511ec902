"""How fast and whether a vendor may be asked, shared by all processes through the database."""

from __future__ import annotations

from tools.wire import Gate

GATE = Gate()
