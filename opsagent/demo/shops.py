"""The two shops as their vendors know them; every name and number is made up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShopFacts:
    """A shop's accounts at its vendors, as they appear in webhook bodies and headers."""

    slug: str
    name: str
    number: int
    domain: str
    gateway: str
    phone_number_id: str
    whatsapp_account: str
    display_phone: str
    inbox: str
    location_id: int
    first_order: int
    country: str

    def account(self, source: str) -> str:
        """The account that an event of `source` belongs to, as part of the event's identity."""
        return {
            "shopify": self.domain,
            # Events of one's own account name none; Connect platforms' do.
            "stripe": "",
            "whatsapp": self.phone_number_id,
            "email": self.inbox,
            "supplier": f"{self.slug}-wholesale",
        }[source]


# Minor units: what the one delivery that there is costs, and what a shop asks for the label of a return.
STANDARD_DELIVERY = {"USD": 590, "EUR": 490, "GBP": 450, "JPY": 660}
RETURN_LABEL = {"USD": 490, "EUR": 390, "GBP": 350, "JPY": 550}
LANGUAGES = {"north": ("en", "de", "fr", "es"), "sakura": ("ja", "en")}
SHOPS: dict[str, ShopFacts] = {
    "north": ShopFacts(
        slug="north",
        name="Fjell & Fern",
        number=61000001,
        domain="fjell-and-fern.myshopify.example",
        gateway="stripe",
        phone_number_id="106540352242922",
        whatsapp_account="102290129340398",
        display_phone="12125550100",
        inbox="help@fjell-and-fern.example.com",
        location_id=71000001,
        first_order=1001,
        country="US",
    ),
    "sakura": ShopFacts(
        slug="sakura",
        name="Sakura Living",
        number=61000002,
        domain="sakura-living.myshopify.example",
        gateway="shopify_payments",
        phone_number_id="106540352242933",
        whatsapp_account="102290129340399",
        display_phone="810000000100",
        inbox="support@sakura-living.example.org",
        location_id=71000002,
        first_order=5001,
        country="JP",
    ),
}
