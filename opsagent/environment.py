"""The environment variables that opsagent reads: one table for settings, system checks and README."""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

DEMO, TEST, PRODUCTION = "demo", "test", "production"
MODES = (DEMO, TEST, PRODUCTION)
HOST_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


@dataclass(frozen=True)
class Variable:
    """One row of the table; `missing` says what happens when the variable is not set."""

    name: str
    meaning: str
    default: str
    missing: str


VARIABLES: tuple[Variable, ...] = (
    Variable("OPSAGENT_MODE", "How strict to be: demo, test or production.", DEMO, "Runs as a demo."),
    Variable(
        "OPSAGENT_DATA_DIR",
        "Folder for the embedded database, keys and heartbeats.",
        ".data in the checkout",
        "Uses .data in the checkout.",
    ),
    Variable(
        "DATABASE_URL",
        "PostgreSQL to use, as postgres://user:password@host:5432/name.",
        "",
        "Uses the embedded PostgreSQL; production refuses to start (opsagent.E004).",
    ),
    Variable(
        "SECRET_KEY",
        "Signs sessions and queued tasks: 50 or more random characters.",
        "",
        "Makes one in the data folder; production refuses to start (opsagent.E002).",
    ),
    Variable(
        "SECRET_KEY_FALLBACKS",
        "Older keys that still open sessions and kept personal text, separated by commas.",
        "",
        "Only SECRET_KEY opens them: run rewrap_keys before an old one is dropped.",
    ),
    Variable(
        "ALLOWED_HOSTS",
        "Host names that the web server answers to, separated by commas.",
        "localhost,127.0.0.1,[::1]",
        "Answers on the loopback alone; production refuses to start (opsagent.E003).",
    ),
    Variable(
        "CSRF_TRUSTED_ORIGINS",
        "Further origins that may post forms, as https://ops.example.com.",
        "",
        "Only the site itself may.",
    ),
    Variable(
        "OPSAGENT_BEHIND_PROXY",
        "true if a reverse proxy of yours ends TLS, sets X-Forwarded-Proto and adds the client's address to"
        " X-Forwarded-For.",
        "false",
        "Both headers are ignored, so that no client can forge them.",
    ),
    Variable(
        "OPSAGENT_SITE_URL",
        "Address at which staff open this site, as https://ops.example.com; announcements link to it.",
        "",
        "Announcements name the case without a link.",
    ),
    Variable(
        "PASSKEY_RP_ID",
        "Host name that passkeys are bound to, as ops.example.com; a change of it makes every passkey useless.",
        "the host of OPSAGENT_SITE_URL",
        "Without both, passkeys are off and people use codes (opsagent.W002).",
    ),
    Variable(
        "PASSKEY_ORIGINS",
        "Addresses at which passkeys may be used, as https://ops.example.com, separated by commas.",
        "OPSAGENT_SITE_URL",
        "Without both, passkeys are off and people use codes (opsagent.W002).",
    ),
    Variable(
        "OPSAGENT_STATIC_DIR",
        "Folder where collectstatic puts the files that production serves.",
        "static in the data folder",
        "Uses static in the data folder.",
    ),
    Variable(
        "OPSAGENT_LOG_LEVEL",
        "Least severe message that is logged: DEBUG, INFO, WARNING or ERROR.",
        "INFO",
        "Logs from INFO upwards.",
    ),
    Variable(
        "OPSAGENT_LOG_FORMAT",
        "json or console.",
        "json in production, else console",
        "Follows the mode.",
    ),
    Variable(
        "OPSAGENT_HEARTBEAT_SECONDS",
        "Age of a heartbeat in seconds at which a worker group is restarted.",
        "12",
        "Restarts after 12 seconds of silence.",
    ),
    Variable(
        "OPSAGENT_HEARTBEAT_DIR",
        "Where a supervised process leaves its signs of life; the supervisor sets it.",
        "",
        "The process leaves none, and runs all the same.",
    ),
    Variable(
        "OPSAGENT_RECONCILE_SECONDS",
        "Seconds between two readings of what changed at a vendor, to find webhooks that never came.",
        "300",
        "Reads every five minutes.",
    ),
    Variable(
        "OPSAGENT_RATES_URL",
        "Address of the European Central Bank's daily file of exchange rates:"
        " https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
        "",
        "No rates are read: refunds whose sums need one go to a person (opsagent.W003).",
    ),
    Variable(
        "Q_CLUSTER_NAME",
        "Which queue a cluster works on: urgent, default, planner or bulk; the supervisor sets it.",
        "default",
        "Works on the default queue.",
    ),
    Variable(
        "OPSAGENT_PLANNER",
        "Planner that proposes actions: rules, or llm.",
        "rules",
        "Uses the rules planner, which needs no key.",
    ),
    Variable(
        "OPSAGENT_LLM_MODEL",
        "Model that the planner llm asks, as litellm names it: openai/gpt-4.1-mini, anthropic/…, ollama_chat/….",
        "",
        "The planner llm can ask nobody, so the rules plan in its place.",
    ),
    Variable(
        "OPSAGENT_LLM_API_BASE",
        "Address of the model's API, for a server of your own or a gateway.",
        "",
        "Asks the model's own provider.",
    ),
    Variable(
        "OPSAGENT_LLM_API_KEY",
        "Key for the model's API.",
        "",
        "litellm looks for the provider's own variable, such as OPENAI_API_KEY.",
    ),
    Variable(
        "OPSAGENT_LLM_DEADLINE_SECONDS",
        "Seconds that a proposal may take in all, the repair turn included.",
        "30",
        "Waits for 30 seconds, then the rules plan.",
    ),
)


@dataclass(frozen=True)
class VendorGroup:
    """The variables of one vendor account, each after the shop's prefix and an underscore.

    `url` may be missing where it has a default; `needed` go together: one without the others is a mistake. What is
    `optional` may be missing, and says itself what is lost by that.
    """

    vendor: str
    url: Variable | None
    needed: tuple[Variable, ...]
    optional: tuple[Variable, ...] = ()

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (*((self.url,) if self.url else ()), *self.needed, *self.optional)


UNSENT = "Nothing is sent there; the shop's cases that need it go to a person."
UNHEARD = "Every webhook of this source is refused."

SHOP_VARIABLES: tuple[VendorGroup, ...] = (
    VendorGroup(
        "Shopify",
        None,
        (
            Variable("SHOPIFY_ADMIN_URL", "The shop's base, as https://name.myshopify.com.", "", UNSENT),
            Variable("SHOPIFY_ACCESS_TOKEN", "Admin API access token of the custom app.", "", UNSENT),
            Variable("SHOPIFY_WEBHOOK_SECRETS", "Webhook secrets, new first.", "", UNHEARD),
        ),
    ),
    VendorGroup(
        "Stripe",
        Variable("STRIPE_API_BASE", "Base of the API.", "https://api.stripe.com", "Uses the default."),
        (
            Variable("STRIPE_API_KEY", "Secret or restricted key.", "", UNSENT),
            Variable("STRIPE_WEBHOOK_SECRETS", "Signing secrets, new first.", "", UNHEARD),
        ),
    ),
    VendorGroup(
        "Klaviyo",
        Variable("KLAVIYO_API_BASE", "Base of the API.", "https://a.klaviyo.com", "Uses the default."),
        (
            Variable(
                "KLAVIYO_API_KEY",
                "Private key that may write events and profiles, request deletions and read the account.",
                "",
                "E-mail leaves by EMAIL_URL; without that too, nothing is sent and cases go to a person.",
            ),
        ),
    ),
    VendorGroup(
        "Outbound e-mail",
        None,
        (
            Variable(
                "EMAIL_URL",
                "Mail server for a shop without Klaviyo: smtp://user:password@host:587, smtps://…:465, or"
                " anymail+postmark://?server_token=….",
                "",
                "E-mail leaves by Klaviyo.",
            ),
        ),
    ),
    VendorGroup(
        "WhatsApp",
        Variable("WHATSAPP_API_BASE", "Base of the API.", "https://graph.facebook.com", "Uses the default."),
        (
            Variable(
                "WHATSAPP_ACCESS_TOKEN",
                "Token of the system user, with whatsapp_business_messaging and, to read templates,"
                " whatsapp_business_management.",
                "",
                UNSENT,
            ),
            Variable("WHATSAPP_PHONE_NUMBER_ID", "Id of the number that sends.", "", UNSENT),
            Variable("WHATSAPP_APP_SECRETS", "App secrets, new first.", "", UNHEARD),
            Variable(
                "WHATSAPP_VERIFY_TOKEN", "Token that Meta repeats when the webhook is set up.", "", UNHEARD
            ),
        ),
        (
            Variable(
                "WHATSAPP_BUSINESS_ACCOUNT_ID",
                "Id of the business account, whose templates are read every 15 minutes.",
                "",
                "Whether a template is approved is learned only from WhatsApp's answer to a message.",
            ),
        ),
    ),
    VendorGroup(
        "Inbound e-mail",
        None,
        (Variable("ANYMAIL_WEBHOOK_SECRETS", "user:password pairs of the webhook, new first.", "", UNHEARD),),
    ),
    VendorGroup(
        "Slack",
        None,
        (
            Variable(
                "SLACK_WEBHOOK_URL",
                "Incoming webhook that hears of pressing hand-offs and of drift.",
                "",
                "Nothing is announced; the desk shows everything all the same.",
            ),
        ),
    ),
)
URLS = ("SHOPIFY_ADMIN_URL", "STRIPE_API_BASE", "KLAVIYO_API_BASE", "WHATSAPP_API_BASE", "SLACK_WEBHOOK_URL")


def shop_prefixes(environment: Mapping[str, str]) -> list[str]:
    """Prefixes under which any shop variable is set."""
    names = [variable.name for group in SHOP_VARIABLES for variable in group.variables]
    return sorted(
        {
            key.removesuffix(f"_{name}")
            for key, value in environment.items()
            for name in names
            if value and key.endswith(f"_{name}")
        }
    )


def passkey_site(rp_id: str, origins: list[str], site_url: str) -> tuple[str, list[str]]:
    """The host that passkeys are bound to and the addresses where they work; what isn't named follows the site's."""
    site = urlsplit(site_url)
    own = f"{site.scheme}://{site.netloc}" if site.scheme and site.hostname else ""
    return rp_id or site.hostname or "", origins or ([own] if own else [])


def passkey_faults(rp_id: str, origins: list[str], *, strict: bool) -> list[str]:
    """What browsers would refuse about these settings, in sentences; `strict` wants TLS, as production does."""
    faults = []
    if rp_id and not (HOST_NAME.fullmatch(rp_id) and any(letter.isalpha() for letter in rp_id)):
        faults.append(f"PASSKEY_RP_ID is {rp_id!r}, which is no host name.")
    for origin in origins:
        site = urlsplit(origin)
        if origin != f"{site.scheme}://{site.netloc}" or not site.hostname:
            faults.append(
                f"PASSKEY_ORIGINS has {origin!r}, which is no origin such as https://ops.example.com."
            )
        elif strict and site.scheme != "https":
            faults.append(f"PASSKEY_ORIGINS has {origin!r}, which has no TLS.")
        elif site.hostname != rp_id and not site.hostname.endswith(f".{rp_id}"):
            faults.append(f"PASSKEY_ORIGINS has {origin!r}, which does not belong to {rp_id!r}.")
    return faults


def local_secret_key(data_dir: Path) -> str:
    """Reads, or makes on the first call, the key that demo mode keeps in the data folder (mode 0600)."""
    place = data_dir / "secret_key"
    if not place.exists():
        make_data_dir(data_dir)
        handle, draft = tempfile.mkstemp(dir=data_dir, prefix="secret_key.")
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        # A link fails where the name is taken, so two first starts agree on one key.
        try:
            os.link(draft, place)
        except FileExistsError:
            return place.read_text()
        finally:
            Path(draft).unlink()
    return place.read_text()


def make_data_dir(data_dir: Path) -> Path:
    """Creates the data folder, listable by its owner alone; as root it can be passed through.

    The embedded server of root runs under another user, who must reach its own folder inside.
    """
    if not data_dir.exists():
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        data_dir.mkdir(mode=0o711 if is_root else 0o700, parents=True, exist_ok=True)
    return data_dir
