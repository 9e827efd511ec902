"""The buyer as a document names them: whom, where, one fact a line, as letters to that country are written. Pure.

https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.snapshots import AddressSnapshot

# Where the town stands before its state and postcode, and where the postcode has a line of its own.
TOWN_FIRST = frozenset({"AU", "CA", "US"})
OWN_LINE = frozenset({"GB", "IE"})
# Where the largest comes first.
LARGEST_FIRST = frozenset({"JP"})


def buyer_block(who: str, country: str, address: AddressSnapshot | None) -> str:
    """One fact a line; `who` is the buyer where the address names nobody, `country` the country's name."""
    if address is None:
        return "\n".join(filter(None, (who, country)))
    lines = (address.company, address.name or who, *_place(address), country)
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


def _place(address: AddressSnapshot) -> Iterable[str]:
    street = (address.address1, address.address2)
    if address.country in LARGEST_FIRST:
        return (f"〒{address.zip}" if address.zip else "", f"{address.province} {address.city}", *street)
    if address.country in TOWN_FIRST:
        state = address.province_code.rpartition("-")[2] or address.province
        rest = " ".join(filter(None, (state, address.zip)))
        return (*street, ", ".join(filter(None, (address.city, rest))))
    if address.country in OWN_LINE:
        return (*street, address.city, address.zip)
    return (*street, f"{address.zip} {address.city}")
