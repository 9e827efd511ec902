"""The vendor accounts of one shop, read from the environment under the shop's prefix; nothing is stored or cached."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from tools.errors import NotConfigured


@dataclass(frozen=True)
class Account:
    """Where a shop's vendors are and how we sign in: `prefix` NORTH reads NORTH_STRIPE_API_KEY and its like.

    Each property raises NotConfigured for a missing variable, but the lists of webhook secrets, which are empty then:
    a webhook without a secret is refused.
    """

    slug: str
    prefix: str

    @classmethod
    def of(cls, shop: Any) -> Account:
        """The account of a shop's row, whose class lives in a layer above."""
        return cls(shop.slug, shop.env_prefix)

    def __repr__(self) -> str:
        return f"Account({self.slug})"

    def _optional(self, name: str) -> str:
        return os.environ.get(f"{self.prefix}_{name}", "").strip()

    def _required(self, name: str) -> str:
        value = self._optional(name)
        if not value:
            raise NotConfigured(f"{self.prefix}_{name}")
        return value

    def _base(self, name: str, default: str = "") -> str:
        return (self._optional(name) or default or self._required(name)).rstrip("/")

    def _secrets(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, (secret.strip() for secret in self._optional(name).split(","))))

    @property
    def shopify_admin_url(self) -> str:
        return self._base("SHOPIFY_ADMIN_URL")

    @property
    def shopify_access_token(self) -> str:
        return self._required("SHOPIFY_ACCESS_TOKEN")

    @property
    def shopify_webhook_secrets(self) -> tuple[str, ...]:
        """New first, as all lists of secrets."""
        return self._secrets("SHOPIFY_WEBHOOK_SECRETS")

    @property
    def stripe_api_base(self) -> str:
        return self._base("STRIPE_API_BASE", "https://api.stripe.com")

    @property
    def stripe_api_key(self) -> str:
        return self._required("STRIPE_API_KEY")

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        return self._secrets("STRIPE_WEBHOOK_SECRETS")

    @property
    def klaviyo_api_base(self) -> str:
        return self._base("KLAVIYO_API_BASE", "https://a.klaviyo.com")

    @property
    def klaviyo_api_key(self) -> str:
        return self._required("KLAVIYO_API_KEY")

    @property
    def email_url(self) -> str:
        return self._required("EMAIL_URL")

    @property
    def mailer(self) -> str:
        """The vendor that carries this shop's e-mail: Klaviyo, or the shop's own mail server where only that is set."""
        own = self._optional("EMAIL_URL") and not self._optional("KLAVIYO_API_KEY")
        return "email" if own else "klaviyo"

    @property
    def whatsapp_api_base(self) -> str:
        return self._base("WHATSAPP_API_BASE", "https://graph.facebook.com")

    @property
    def whatsapp_access_token(self) -> str:
        return self._required("WHATSAPP_ACCESS_TOKEN")

    @property
    def whatsapp_phone_number_id(self) -> str:
        return self._required("WHATSAPP_PHONE_NUMBER_ID")

    @property
    def whatsapp_business_account_id(self) -> str:
        return self._required("WHATSAPP_BUSINESS_ACCOUNT_ID")

    @property
    def reads_whatsapp_templates(self) -> bool:
        """Whether the shop has said which business account's templates are its own."""
        return bool(
            self._optional("WHATSAPP_BUSINESS_ACCOUNT_ID") and self._optional("WHATSAPP_ACCESS_TOKEN")
        )

    @property
    def whatsapp_app_secrets(self) -> tuple[str, ...]:
        return self._secrets("WHATSAPP_APP_SECRETS")

    @property
    def whatsapp_verify_token(self) -> str:
        return self._required("WHATSAPP_VERIFY_TOKEN")

    @property
    def anymail_webhook_secrets(self) -> tuple[str, ...]:
        return self._secrets("ANYMAIL_WEBHOOK_SECRETS")

    @property
    def slack_webhook_url(self) -> str:
        return self._required("SLACK_WEBHOOK_URL")

    @property
    def announces(self) -> bool:
        """Whether the shop has a channel that wants to hear."""
        return bool(self._optional("SLACK_WEBHOOK_URL"))
