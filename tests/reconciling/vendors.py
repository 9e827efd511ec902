"""Shopify and Stripe as they can be read back, whether or not they delivered a webhook.

Orders are answered by the sandbox itself, so that the real documents are read by the real parsers; the lists by what
change are kept here, where a test can stop them, page them small or let them fail.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from opsagent.demo import accounts
from opsagent.demo.script import Step
from opsagent.demo.shopify import stamp
from tests.flow.vendors import Answer

LISTS = {"/v1/events": "events", "/v1/disputes": "disputes", "/v1/refunds": "refunds"}
LISTED = {"charge.dispute.created": "disputes", "radar.early_fraud_warning.created": "warnings"}
WARNINGS = "/v1/radar/early_fraud_warnings"


def start_over(sandbox: str) -> None:
    """The sandbox knows the shops of the environment, and nothing else has ever happened."""
    httpx.post(f"{sandbox}/_control/reset").raise_for_status()
    for shop in accounts.for_sandbox(dict(os.environ)):
        httpx.post(f"{sandbox}/_control/shops", json=shop).raise_for_status()


class Vendors:
    """What has happened at the vendors of `north`. `per_page` is small, so that few changes make many pages."""

    def __init__(self, sandbox: str, per_page: int = 3) -> None:
        self.sandbox, self.per_page = sandbox, per_page
        self.changed: dict[str, datetime] = {}
        self.lists: dict[str, list[dict[str, Any]]] = {name: [] for name in (*LISTS.values(), "warnings")}
        self.unreadable: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.on_ask: Callable[[str], object] = lambda what: None
        self.fault: Answer | None = None

    def forget(self) -> None:
        """Nothing has ever happened."""
        self.changed.clear()
        for rows in self.lists.values():
            rows.clear()
        start_over(self.sandbox)

    # what happens

    def happens(self, step: Step, at: datetime) -> None:
        """The vendor knows of it from now on; whether it delivers is another matter."""
        for path, body in step.sandbox:
            httpx.post(f"{self.sandbox}{path}", json=body).raise_for_status()
        if step.source == "stripe":
            event = {**json.loads(step.body), "created": int(at.timestamp())}
            self.lists["events"].append(event)
            if step.topic in LISTED:
                thing = {**event["data"]["object"], "created": event["created"]}
                self.lists[LISTED[step.topic]].append(thing)
        elif step.source == "shopify":
            body = json.loads(step.body)
            order = body.get("order_id") or body.get("order", {}).get("id") or body["id"]
            self.changed[str(order)] = max(at, self.changed.get(str(order), at))

    # how it is read

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.fault is not None:
            return self.fault(request)
        if "/stripe/" in request.url.path:
            return self._stripe(request)
        asked = json.loads(request.content)
        if "OpsChangedOrders" in asked["query"]:
            return self._changed(asked["variables"])
        order = str(asked["variables"].get("id", "")).rpartition("/")[2]
        self._ask(f"order {order}")
        if order in self.unreadable:
            return self.unreadable[order](request)
        return self._order(request, order)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        self.on_ask(what)

    def _changed(self, variables: dict[str, Any]) -> httpx.Response:
        self._ask("orders")
        since = datetime.fromisoformat(variables["query"].partition("'")[2].strip("'"))
        rows = sorted((at, name) for name, at in self.changed.items() if at >= since)
        after = variables["after"]
        if after:
            rows = [row for row in rows if [row[0].isoformat(), row[1]] > json.loads(after)]
        page, rest = rows[: self.per_page], rows[self.per_page :]
        end = json.dumps([page[-1][0].isoformat(), page[-1][1]]) if page else None
        nodes = [{"id": f"gid://shopify/Order/{name}", "updatedAt": stamp(at)} for at, name in page]
        info = {"hasNextPage": bool(rest), "endCursor": end}
        return self._graphql({"orders": {"pageInfo": info, "nodes": nodes}})

    def _graphql(self, data: dict[str, Any]) -> httpx.Response:
        return httpx.Response(200, json={"data": data}, headers={"X-Shopify-API-Version": "2026-07"})

    def _order(self, request: httpx.Request, order: str) -> httpx.Response:
        """The sandbox's answer, as of the change that this vendor knows of."""
        answer = httpx.post(str(request.url), content=request.content, headers=request.headers)
        body = answer.json()
        if order in self.changed and body.get("data", {}).get("order"):
            body["data"]["order"]["updatedAt"] = stamp(self.changed[order])
        return httpx.Response(answer.status_code, json=body, headers={"X-Shopify-API-Version": "2026-07"})

    def _stripe(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/stripe")[2]
        name = "warnings" if path == WARNINGS else LISTS[path]
        self._ask(name)
        query = dict(request.url.params)
        rows = sorted(
            enumerate(self.lists[name]), key=lambda pair: (pair[1]["created"], pair[0]), reverse=True
        )
        found = [row for _place, row in rows if row["created"] >= int(query["created[gte]"])]
        if "starting_after" in query:
            ids = [row["id"] for row in found]
            if query["starting_after"] not in ids:
                error = {
                    "type": "invalid_request_error",
                    "code": "resource_missing",
                    "param": "starting_after",
                }
                return httpx.Response(400, json={"error": error})
            found = found[ids.index(query["starting_after"]) + 1 :]
        page, rest = found[: self.per_page], found[self.per_page :]
        body = {"object": "list", "url": path, "has_more": bool(rest), "data": page}
        return httpx.Response(200, json=body)
