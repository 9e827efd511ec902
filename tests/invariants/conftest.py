"""A shop whose day is played through the real doors, with vendors that do as they are told."""

from tests.flow.conftest import _accounts, clock, fake, shop, world

__all__ = ["_accounts", "clock", "fake", "shop", "world"]
