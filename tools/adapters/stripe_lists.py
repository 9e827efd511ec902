"""Stripe's lists: one page as it comes, or all pages of a thing that has few.

https://docs.stripe.com/api/pagination
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.replies import Reply
from tools.adapters.stripe_known import FIELDS
from tools.adapters.stripe_wire import PAGE, VENDOR, Value, get
from tools.errors import ContractDrift, Refused

Item = TypeVar("Item")
MOST_PAGES = 10


class ListReply(Reply):
    """What every list has; one that doesn't say whether there is more has told all, unless its page is full."""

    also_known = FIELDS["list"]

    object: Literal["list"]
    has_more: bool | None = None


Listed = TypeVar("Listed", bound=ListReply)


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Part of a list, newest first; `after` is the `starting_after` of the next part, empty where there is none."""

    items: tuple[Item, ...]
    after: str = ""

    @property
    def has_more(self) -> bool:
        """Whether something older is left."""
        return bool(self.after)


@dataclass(frozen=True)
class Listing(Generic[Listed, Item]):
    """How one of Stripe's lists is read: where it is, what it answers and how that is said in our words."""

    operation: str
    path: str
    reply: type[Listed]
    make: Callable[[Listed], tuple[Item, ...]]
    name: Callable[[Item], str]

    def page(
        self,
        account: Account,
        query: Mapping[str, Value],
        *,
        starting_after: str = "",
        correlation_id: UUID,
    ) -> Page[Item]:
        """The newest hundred that fit `query`, or those after one."""
        further = {"starting_after": starting_after} if starting_after else {}
        call = get(
            account,
            self.operation,
            self.path,
            {**query, "limit": PAGE, **further},
            correlation_id=correlation_id,
        )
        return ask(call, self.reply, self._page)

    def _page(self, found: Listed) -> Page[Item]:
        items = self.make(found)
        if found.has_more is None and len(items) >= PAGE:
            raise ContractDrift(
                "missing", vendor=VENDOR, operation=self.operation, field_path="has_more", finding="missing"
            )
        return Page(items, self.name(items[-1]) if items and found.has_more else "")

    def all(self, account: Account, query: Mapping[str, Value], *, correlation_id: UUID) -> Iterator[Item]:
        """Every one, page by page as it is asked for; Refused where there are more than a thousand."""
        after = ""
        for _ in range(MOST_PAGES):
            page = self.page(account, query, starting_after=after, correlation_id=correlation_id)
            yield from page.items
            if not page.after or page.after == after:
                return
            after = page.after
        raise Refused(vendor=VENDOR, operation=self.operation, code="too_many")


def made_since(moment: datetime) -> dict[str, Value]:
    """Only what was made at or after a moment."""
    return {"created": {"gte": int(moment.timestamp())}}
