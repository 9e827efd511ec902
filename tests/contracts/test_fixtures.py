"""The made-up webhooks of the demo have the shapes that Shopify's own webhooks are known to have."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from opsagent.demo.story import story
from tests.contracts.answers import SPECS

WEBHOOKS = SPECS / "shopify" / "webhooks" / "2026-07"


def shapes() -> dict[str, Any]:
    found = {path.stem.replace("__", "/"): path.read_text() for path in WEBHOOKS.glob("*.json")}
    # Inferred from examples: a list that was empty there says nothing of its items.
    return {topic: json.loads(text.replace('"items":false', '"items":true')) for topic, text in found.items()}


@pytest.mark.skipif(not WEBHOOKS.is_dir(), reason="the shapes of Shopify's webhooks are not at hand")
def test_the_demos_shopify_webhooks_have_the_known_shapes() -> None:
    known, seen, wrong = shapes(), set(), []
    for step in story(7, 150, datetime(2026, 11, 1, 12, tzinfo=UTC)).steps:
        if step.source == "shopify" and step.signed and step.topic in known and step.kind != "garbage":
            seen.add(step.topic)
            errors = jsonschema.Draft202012Validator(known[step.topic]).iter_errors(json.loads(step.body))
            wrong += [(step.topic, list(error.absolute_path), error.message) for error in errors]
    assert wrong == []
    assert {"orders/create", "fulfillments/create", "refunds/create"} <= seen
