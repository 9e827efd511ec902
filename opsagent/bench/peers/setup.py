"""Makes a peer's tables in its own database: `python -m opsagent.bench.peers.setup plain|djstripe`."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import django
from django.core.management import call_command

from opsagent.bench.peers.settings import STRIPE_TEST_SECRET_KEY

OWNER, ENDPOINT = "acct_1Benchmark", "we_1Benchmark"


def main(peer: str) -> None:
    """Migrate, and add what the peer needs beside its migrations."""
    django.setup()
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    if peer == "plain":
        from opsagent.bench.peers.plain import make_table

        make_table()
    if peer == "djstripe":
        _endpoint()


def _endpoint() -> None:
    """An endpoint whose account and key are known, so that no delivery has to ask Stripe for them."""
    found = import_module("djstripe.models")
    owner = found.Account.objects.create(id=OWNER, livemode=False)
    found.APIKey.objects.create(
        id="key_1",
        type="secret",
        livemode=False,
        secret=STRIPE_TEST_SECRET_KEY,
        djstripe_owner_account=owner,
    )
    found.WebhookEndpoint.objects.create(
        id=ENDPOINT,
        livemode=False,
        djstripe_owner_account=owner,
        djstripe_uuid=os.environ["BENCH_ENDPOINT"],
        secret=os.environ["BENCH_SECRET"],
        enabled_events=["*"],
        status="enabled",
        url="https://ops.example.com/stripe/",
        api_version="2026-10-28.endive",
    )


if __name__ == "__main__":
    main(sys.argv[1])
