"""The demo's secrets: made once, kept in the data folder, good for the loopback alone."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from opsagent.demo.script import Neutral
from opsagent.demo.shops import LANGUAGES, SHOPS
from tools.vendor_templates import TEMPLATE


def remembered(path: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    """What the file holds, with what is new added; only its owner may read it."""
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    merged = {**fresh, **known}
    if merged != known:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(merged, indent=1, sort_keys=True))
    return merged


def shop_secrets(data_dir: Path) -> dict[str, str]:
    """Every demo shop's keys and webhook secrets, by environment variable."""
    fresh: dict[str, str] = {}
    for slug, facts in SHOPS.items():
        prefix = slug.upper()
        for name in ("SHOPIFY_ACCESS_TOKEN", "STRIPE_API_KEY", "KLAVIYO_API_KEY", "WHATSAPP_ACCESS_TOKEN"):
            fresh[f"{prefix}_{name}"] = f"demo-{secrets.token_hex(12)}"
        for name in ("SHOPIFY_WEBHOOK_SECRETS", "STRIPE_WEBHOOK_SECRETS", "WHATSAPP_APP_SECRETS"):
            fresh[f"{prefix}_{name}"] = secrets.token_hex(20)
        fresh[f"{prefix}_WHATSAPP_VERIFY_TOKEN"] = secrets.token_hex(12)
        fresh[f"{prefix}_ANYMAIL_WEBHOOK_SECRETS"] = f"postmark:{secrets.token_hex(16)}"
        fresh[f"{prefix}_WHATSAPP_PHONE_NUMBER_ID"] = facts.phone_number_id
        fresh[f"{prefix}_WHATSAPP_BUSINESS_ACCOUNT_ID"] = facts.whatsapp_account
    return {name: str(value) for name, value in remembered(data_dir / "demo-secrets.json", fresh).items()}


def environment(data_dir: Path, sandbox_url: str) -> dict[str, str]:
    """The variables that connect the demo's shops to the sandbox."""
    variables = shop_secrets(data_dir)
    for slug in SHOPS:
        prefix, base = slug.upper(), f"{sandbox_url}/{slug}"
        variables[f"{prefix}_SHOPIFY_ADMIN_URL"] = f"{base}/shopify"
        variables[f"{prefix}_STRIPE_API_BASE"] = f"{base}/stripe"
        variables[f"{prefix}_KLAVIYO_API_BASE"] = f"{base}/klaviyo"
        variables[f"{prefix}_WHATSAPP_API_BASE"] = f"{base}/whatsapp"
        variables[f"{prefix}_SLACK_WEBHOOK_URL"] = f"{base}/slack"
    variables["OPSAGENT_RATES_URL"] = f"{sandbox_url}/all/ecb/stats/eurofxref/eurofxref-daily.xml"
    return variables


def told_sandbox(variables: dict[str, str], web: str) -> list[tuple[str, Neutral]]:
    """What the sandbox hears before the day begins: its shops, their approved templates, and where Stripe's news go.

    The story posts its own webhooks; Stripe tells of the refunds that we make.
    """
    told: list[tuple[str, Neutral]] = [("/_control/shops", shop) for shop in for_sandbox(variables)]
    for slug in SHOPS:
        told += [
            ("/_control/templates", {"shop": slug, "name": TEMPLATE, "language": language})
            for language in LANGUAGES[slug]
        ]
        secret = variables[f"{slug.upper()}_STRIPE_WEBHOOK_SECRETS"]
        hook = {"shop": slug, "vendor": "stripe", "url": f"{web}/hooks/{slug}/stripe/", "secret": secret}
        told.append(("/_control/webhooks", hook))
    return told


def for_sandbox(variables: dict[str, str]) -> list[dict[str, str]]:
    """What the sandbox must know of each shop to let it in."""
    return [
        {
            "slug": slug,
            "shopify_token": variables[f"{slug.upper()}_SHOPIFY_ACCESS_TOKEN"],
            "stripe_key": variables[f"{slug.upper()}_STRIPE_API_KEY"],
            "klaviyo_key": variables[f"{slug.upper()}_KLAVIYO_API_KEY"],
            "whatsapp_token": variables[f"{slug.upper()}_WHATSAPP_ACCESS_TOKEN"],
            "phone_number_id": facts.phone_number_id,
            "whatsapp_account": facts.whatsapp_account,
        }
        for slug, facts in SHOPS.items()
    ]
