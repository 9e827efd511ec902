"""Customers: names from several countries, reserved mail domains, telephone numbers set aside for fiction."""

from __future__ import annotations

import random
from dataclasses import dataclass

DOMAINS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True)
class Country:
    """Where somebody lives: language, currency, postal data and fictional telephone blocks.

    The blocks are what the countries' regulators keep for films (Ofcom, ARCEP, BNetzA, NANPA 555-01xx);
    for Spain and Japan, which keep none, they are all zeros after the prefix.
    """

    code: str
    name: str
    language: str
    currency: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    places: tuple[tuple[str, str, str, str], ...]
    streets: tuple[str, ...]
    phones: tuple[str, ...]
    digits: int


_US_FIRST = ("Maya Carter Elena Jordan Priya Tom Grace Luis Hannah Derek Aisha Brooke Owen Mei Rosa Caleb "
             "Nadia Felix Tessa Andre Joanna Marcus Wendy Ravi").split()  # fmt: skip
_US_LAST = ("Whitfield Okafor Ramirez Chen Lindqvist Patel Brennan Hughes Kowalski Nguyen Delgado Foster "
            "Abrams Sorensen Banks Iverson Moreno Tanaka").split()  # fmt: skip
_GB_FIRST = "Harriet Callum Imogen Rhys Bronwen Alfie Zara Nigel Poppy Fergus Saoirse Declan".split()
_GB_LAST = "Ashworth MacLeod Pemberton Llewellyn Begum Tuckwell O'Hara Singh Fairclough Murray".split()
_DE_FIRST = "Anke Jonas Friederike Matthias Leyla Torsten Hanna Uwe Katrin Emre Sabine Lukas".split()
_DE_LAST = "Brandt Yılmaz Schäfer Krüger Vogel Lindner Hofmann Petersen Nowak Zimmermann".split()
_FR_FIRST = "Camille Thibault Amélie Karim Solène Bastien Margaux Hugo Inès Gaëlle Rémi Fatou".split()
_FR_LAST = "Moreau Lefèvre Benali Rousseau Garnier Perrin Diallo Chevalier Marchand Colin".split()
_ES_FIRST = "Lucía Javier Marta Iker Nuria Álvaro Carmen Pau Rocío Gonzalo Ainhoa Sergio".split()
_ES_LAST = "Ibáñez Castillo Ferrer Ortega Vidal Etxeberria Molina Pascual Rubio Serrano".split()
_JA_FIRST = ("美咲:Misaki 健太:Kenta 陽子:Yoko 翔:Sho 由美:Yumi 直樹:Naoki さくら:Sakura 大輔:Daisuke 恵:Megumi "
             "拓也:Takuya 千尋:Chihiro 誠:Makoto").split()  # fmt: skip
_JA_LAST = ("佐藤:Sato 鈴木:Suzuki 高橋:Takahashi 渡辺:Watanabe 中村:Nakamura 小林:Kobayashi 山口:Yamaguchi "
            "森:Mori 藤田:Fujita 石井:Ishii").split()  # fmt: skip

_US_PLACES = (("Burlington", "Vermont", "VT", "05401"), ("Portland", "Oregon", "OR", "97205"),
              ("Asheville", "North Carolina", "NC", "28801"), ("Duluth", "Minnesota", "MN", "55802"),
              ("Albany", "New York", "NY", "12207"), ("Boulder", "Colorado", "CO", "80302"))  # fmt: skip
_GB_PLACES = (("Leeds", "England", "ENG", "LS1 4AP"), ("Cardiff", "Wales", "WLS", "CF10 1EP"),
              ("Edinburgh", "Scotland", "SCT", "EH1 1YZ"), ("Bristol", "England", "ENG", "BS1 5TR"))  # fmt: skip
_DE_PLACES = (("Hamburg", "Hamburg", "HH", "20095"), ("Köln", "Nordrhein-Westfalen", "NW", "50667"),
              ("Leipzig", "Sachsen", "SN", "04109"), ("München", "Bayern", "BY", "80331"))  # fmt: skip
_FR_PLACES = (("Lyon", "Rhône", "69", "69002"), ("Nantes", "Loire-Atlantique", "44", "44000"),
              ("Lille", "Nord", "59", "59000"), ("Bordeaux", "Gironde", "33", "33000"))  # fmt: skip
_ES_PLACES = (("Sevilla", "Sevilla", "SE", "41001"), ("Bilbao", "Bizkaia", "BI", "48001"),
              ("Valencia", "Valencia", "V", "46001"), ("Zaragoza", "Zaragoza", "Z", "50001"))  # fmt: skip
_JP_PLACES = (("目黒区", "東京都", "JP-13", "153-0061"), ("左京区", "京都府", "JP-26", "606-8301"),
              ("金沢市", "石川県", "JP-17", "920-0962"), ("札幌市", "北海道", "JP-01", "060-0001"))  # fmt: skip
_US_PHONES = tuple(f"1{area}55501" for area in (202, 206, 212, 303, 312, 404, 415, 503, 512, 602, 617, 702,
                                                 802, 828, 907, 919, 971, 218, 518, 720))  # fmt: skip

COUNTRIES: dict[str, Country] = {
    country.code: country
    for country in (
        Country("US", "United States", "en", "USD", tuple(_US_FIRST), tuple(_US_LAST), _US_PLACES,
                ("Alder Lane", "Birch Street", "Mill Road", "Harbor View", "Quarry Hill"), _US_PHONES, 2),
        Country("GB", "United Kingdom", "en", "GBP", tuple(_GB_FIRST), tuple(_GB_LAST), _GB_PLACES,
                ("Chapel Row", "Station Road", "Orchard Close"), ("447700900", "442079460", "441134960"), 3),
        Country("IE", "Ireland", "en", "EUR", tuple(_GB_FIRST), tuple(_GB_LAST),
                (("Galway", "Galway", "G", "H91 E2K3"), ("Cork", "Cork", "CO", "T12 X2YF")),
                ("Quay Street", "Abbey Lane"), ("353209100", "353209101"), 3),
        Country("DE", "Germany", "de", "EUR", tuple(_DE_FIRST), tuple(_DE_LAST), _DE_PLACES,
                ("Lindenweg", "Gartenstraße", "Mühlgasse"),
                ("493023125", "496990009", "494066969", "492214710", "498999998"), 3),
        Country("FR", "France", "fr", "EUR", tuple(_FR_FIRST), tuple(_FR_LAST), _FR_PLACES,
                ("rue des Lilas", "rue du Moulin", "allée des Tilleuls"), ("33639980", "33639981"), 3),
        Country("ES", "Spain", "es", "EUR", tuple(_ES_FIRST), tuple(_ES_LAST), _ES_PLACES,
                ("Calle del Olmo", "Calle Mayor", "Paseo del Río"), ("34600000", "34600001"), 3),
        Country("JP", "Japan", "ja", "JPY", tuple(_JA_FIRST), tuple(_JA_LAST), _JP_PLACES,
                ("中目黒", "岡崎町", "長町", "大通"), ("81900000", "81800000"), 4),
        Country("XJ", "Japan", "en", "JPY", tuple(_US_FIRST), tuple(_US_LAST),
                (("Setagaya", "Tokyo", "JP-13", "154-0017"), ("Kobe", "Hyogo", "JP-28", "650-0001")),
                ("Sakaemachi", "Kitano"), ("81700000",), 4),
    )
}  # fmt: skip
"""`XJ` is somebody in Japan who writes English; postal data still say JP."""

MARKETS: dict[str, tuple[tuple[str, int], ...]] = {
    "north": (("US", 46), ("GB", 14), ("IE", 4), ("DE", 14), ("FR", 11), ("ES", 11)),
    "sakura": (("JP", 75), ("XJ", 25)),
}

_ASCII = str.maketrans({"ı": "i", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ë": "e",
                        "á": "a", "í": "i", "ó": "o", "ñ": "n", "Á": "a"})  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One customer; `phone` is in digits with the country's prefix, as WhatsApp writes it."""

    id: int
    first: str
    last: str
    email: str
    phone: str
    language: str
    currency: str
    country_code: str
    country: str
    city: str
    province: str
    province_code: str
    zip: str
    address1: str
    fingerprint: str
    last4: str

    @property
    def full_name(self) -> str:
        """The name in the order that the language writes it."""
        return f"{self.last} {self.first}" if self.language == "ja" else f"{self.first} {self.last}"

    def address(self) -> dict[str, str]:
        """Where parcels go, as a neutral order has it."""
        return {
            "country_code": self.country_code,
            "city": self.city,
            "zip": self.zip,
            "address1": self.address1,
            "province": self.province,
            "province_code": self.province_code,
        }

    def bill_to(self) -> dict[str, str]:
        """Where bills go: home, and for every seventh customer to the firm that they have there."""
        firm = {"company": f"Studio {self.last}"} if self.id % 7 == 0 else {}
        return {**self.address(), "name": self.full_name, **firm}


class Cast:
    """Hands out customers, each once, so that no two stories share a person, a card or a number."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._met = 0
        self._phones: dict[str, int] = {}

    def newcomer(self, shop: str, language: str | None = None) -> Person:
        """Somebody new who buys at the shop; with `language`, somebody who writes it."""
        market = [(c, w) for c, w in MARKETS[shop] if language in (None, COUNTRIES[c].language)]
        country = COUNTRIES[self._rng.choices([c for c, _ in market], [w for _, w in market])[0]]
        self._met += 1
        first, first_latin = _spelled(self._rng.choice(country.first))
        last, last_latin = _spelled(self._rng.choice(country.last))
        city, province, province_code, postcode = self._rng.choice(country.places)
        mailbox = self._rng.choice(("{f}.{l}{n}", "{l}.{f}{n}", "{f}{n}", "{l}{n}")).format(
            f=first_latin, l=last_latin, n=self._met + 10
        )
        return Person(
            id=7_300_000_000 + self._met * 37,
            first=first,
            last=last,
            email=f"{mailbox}@{self._rng.choice(DOMAINS)}",
            phone=self._phone(country),
            language=country.language,
            currency=country.currency,
            country_code="JP" if country.code == "XJ" else country.code,
            country=country.name,
            city=city,
            province=province,
            province_code=province_code,
            zip=postcode,
            address1=_address(country, self._rng),
            fingerprint="".join(
                self._rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789", k=16)
            ),
            last4=f"{self._rng.randrange(10_000):04d}",
        )

    def _phone(self, country: Country) -> str:
        used = self._phones.get(country.code, 0)
        self._phones[country.code] = used + 1
        block, number = divmod(used, 10**country.digits)
        return f"{country.phones[block % len(country.phones)]}{number:0{country.digits}d}"


def _spelled(name: str) -> tuple[str, str]:
    own, _, latin = name.partition(":")
    slug = (latin or own).translate(_ASCII).lower()
    return own, "".join(c for c in slug if c.isascii() and c.isalnum())


def _address(country: Country, rng: random.Random) -> str:
    street, number = rng.choice(country.streets), rng.randrange(1, 180)
    if country.code in ("DE", "ES"):
        return f"{street} {number}"
    if country.code == "JP":
        return f"{street}{number % 5 + 1}-{number % 17 + 1}"
    return f"{number} {street}"
