"""The shop of a vendor's call. Its model stands a layer above, so it is reached by its name."""

from __future__ import annotations

from django.apps import apps


def id_of(slug: str) -> int:
    """The primary key of the shop with this short name; raises its model's DoesNotExist where there is none."""
    shops = apps.get_model("cases", "Shop")._default_manager
    return int(shops.values_list("pk", flat=True).get(slug=slug))
