"""What the two shops sell: titles as they stand on an order, and the words that customers use for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opsagent.demo.money import decimal_text

Size = Literal["small", "mid", "large", "grand", "vast"]
Stuff = Literal["hard", "soft"]


@dataclass(frozen=True)
class Name:
    """A title in one language, the words a customer says (with the article, but in English), the plural."""

    title: str
    said: str
    plural: str = ""


@dataclass(frozen=True)
class Item:
    """One variant; prices are minor units by currency."""

    sku: str
    number: int
    size: Size
    stuff: Stuff
    prices: dict[str, int]
    names: dict[str, Name]

    def name(self, language: str) -> Name:
        """Its name in a language that the shop speaks, else in English."""
        return self.names.get(language, self.names["en"])


def _north(
    number: int, size: Size, stuff: Stuff, prices: tuple[int, int, int], names: tuple[Name, Name, Name, Name]
) -> Item:
    return Item(
        sku=f"FF-{number:04d}",
        number=number,
        size=size,
        stuff=stuff,
        prices=dict(zip(("USD", "EUR", "GBP"), prices, strict=True)),
        names=dict(zip(("en", "de", "fr", "es"), names, strict=True)),
    )


def _sakura(number: int, size: Size, stuff: Stuff, price: int, names: tuple[Name, Name]) -> Item:
    return Item(
        sku=f"SL-{number:04d}",
        number=number,
        size=size,
        stuff=stuff,
        prices={"JPY": price},
        names=dict(zip(("ja", "en"), names, strict=True)),
    )


NORTH: tuple[Item, ...] = (
    _north(101, "small", "hard", (1400, 1350, 1200), (
        Name("Stoneware Mug, Moss", "stoneware mug", "mugs"),
        Name("Steinguttasse, Moos", "die Steinguttasse", "Tassen"),
        Name("Tasse en grès, mousse", "la tasse en grès", "tasses"),
        Name("Taza de gres, musgo", "la taza de gres", "tazas"),
    )),
    _north(102, "small", "hard", (850, 800, 700), (
        Name("Handblown Water Glass", "water glass", "water glasses"),
        Name("Mundgeblasenes Wasserglas", "das Wasserglas", "Gläser"),
        Name("Verre à eau soufflé", "le verre à eau", "verres"),
        Name("Vaso de agua soplado", "el vaso de agua", "vasos"),
    )),
    _north(103, "small", "hard", (1200, 1150, 1050), (
        Name("Beeswax Pillar Candle", "beeswax candle"),
        Name("Stumpenkerze aus Bienenwachs", "die Stumpenkerze"),
        Name("Bougie en cire d'abeille", "la bougie"),
        Name("Vela de cera de abeja", "la vela"),
    )),
    _north(104, "small", "soft", (1600, 1500, 1400), (
        Name("Linen Tea Towel, Fern", "tea towel"),
        Name("Leinen-Geschirrtuch, Farn", "das Geschirrtuch"),
        Name("Torchon en lin, fougère", "le torchon"),
        Name("Paño de lino, helecho", "el paño de lino"),
    )),
    _north(105, "small", "hard", (1800, 1700, 1550), (
        Name("Speckled Cereal Bowl", "cereal bowl", "bowls"),
        Name("Gesprenkelte Müslischale", "die Müslischale", "Schalen"),
        Name("Bol moucheté", "le bol", "bols"),
        Name("Cuenco moteado", "el cuenco", "cuencos"),
    )),
    _north(106, "small", "soft", (1550, 1450, 1300), (
        Name("Lambswool Socks", "lambswool socks"),
        Name("Sockenpaar aus Lammwolle", "das Sockenpaar"),
        Name("Bonnet en laine d'agneau", "le bonnet"),
        Name("Gorro de lana de cordero", "el gorro de lana"),
    )),
    _north(107, "small", "soft", (950, 900, 800), (
        Name("Legal Size Paper Pad", "legal size paper pad"),
        Name("Notizblock Anwaltsformat", "der Notizblock"),
        Name("Bloc-notes format légal", "le bloc-notes"),
        Name("Bloc de notas tamaño legal", "el bloc de notas"),
    )),
    _north(108, "small", "soft", (1750, 1650, 1500), (
        Name("Book: Law of the Forest", "law book"),
        Name("Buch: Das Gesetz des Waldes", "das Buch"),
        Name("Livre : La loi de la forêt", "le livre"),
        Name("Libro: La ley del bosque", "el libro"),
    )),
    _north(201, "mid", "soft", (8900, 8500, 7500), (
        Name("Merino Wool Blanket", "merino blanket"),
        Name("Merino-Wolldecke", "die Wolldecke"),
        Name("Couverture en laine mérinos", "la couverture"),
        Name("Manta de lana merina", "la manta"),
    )),
    _north(202, "mid", "hard", (12900, 12400, 10900), (
        Name("Brass Table Lamp", "table lamp"),
        Name("Tischlampe aus Messing", "die Tischlampe"),
        Name("Lampe de table en laiton", "la lampe"),
        Name("Lámpara de mesa de latón", "la lámpara"),
    )),
    _north(203, "mid", "hard", (5400, 5200, 4600), (
        Name("Enamel Kettle, Cream", "enamel kettle"),
        Name("Emaille-Wasserkessel, creme", "der Wasserkessel"),
        Name("Bouilloire émaillée, crème", "la bouilloire"),
        Name("Hervidor esmaltado, crema", "el hervidor"),
    )),
    _north(204, "mid", "soft", (11500, 10900, 9800), (
        Name("Waxed Canvas Rucksack", "canvas rucksack"),
        Name("Rucksack aus Wachstuch", "der Rucksack"),
        Name("Sac à dos en toile cirée", "le sac à dos"),
        Name("Mochila de lona encerada", "la mochila"),
    )),
    _north(205, "mid", "hard", (4600, 4400, 3900), (
        Name("Hand-thrown Vase", "vase"),
        Name("Handgedrehte Vase", "die Vase"),
        Name("Vase tourné à la main", "le vase"),
        Name("Jarrón hecho a mano", "el jarrón"),
    )),
    _north(206, "mid", "hard", (6900, 6600, 5900), (
        Name("Carved Serving Tray", "serving tray"),
        Name("Geschnitztes Tablett", "das Tablett"),
        Name("Plateau sculpté", "le plateau"),
        Name("Bandeja tallada", "la bandeja"),
    )),
    _north(301, "large", "hard", (48900, 46900, 41900), (
        Name("Ash Lounge Chair", "lounge chair"),
        Name("Sessel aus Esche", "der Sessel"),
        Name("Fauteuil en frêne", "le fauteuil"),
        Name("Sillón de fresno", "el sillón"),
    )),
    _north(302, "large", "soft", (32900, 31500, 27900), (
        Name("Handwoven Wool Rug", "wool rug"),
        Name("Handgewebter Wollteppich", "der Wollteppich"),
        Name("Tapis en laine tissé main", "le tapis"),
        Name("Alfombra de lana tejida", "la alfombra"),
    )),
    _north(303, "large", "soft", (41900, 39900, 35900), (
        Name("Two-Person Canvas Tent", "canvas tent"),
        Name("Zwei-Personen-Zelt", "das Zelt"),
        Name("Tente en toile, deux places", "la tente"),
        Name("Tienda de lona para dos", "la tienda de lona"),
    )),
    _north(304, "large", "hard", (26900, 25900, 22900), (
        Name("Oak Side Table", "side table"),
        Name("Beistelltisch aus Eiche", "der Beistelltisch"),
        Name("Guéridon en chêne", "le guéridon"),
        Name("Mesita auxiliar de roble", "la mesita"),
    )),
    # So dear that two people sign for it, and that nobody does.
    _north(401, "grand", "hard", (245000, 239000, 215000), (
        Name("Oak Dining Table for Twelve", "dining table"),
        Name("Esstisch aus Eiche für zwölf", "der Esstisch"),
        Name("Table à manger en chêne, douze couverts", "la table à manger"),
        Name("Mesa de comedor de roble para doce", "la mesa de comedor"),
    )),
    _north(501, "vast", "hard", (590000, 575000, 525000), (
        Name("Larch Garden Studio", "garden studio"),
        Name("Gartenhaus aus Lärche", "das Gartenhaus"),
        Name("Cabane de jardin en mélèze", "la cabane de jardin"),
        Name("Caseta de jardín de alerce", "la caseta de jardín"),
    )),
)  # fmt: skip

SAKURA: tuple[Item, ...] = (
    _sakura(101, "small", "hard", 1800, (Name("美濃焼の湯呑み", "湯呑み"), Name("Mino Ware Tea Cup", "tea cup"))),
    _sakura(102, "small", "hard", 1200, (
        Name("染付の小皿", "小皿", "小皿"), Name("Blue Dipping Dish", "dipping dish", "dishes"))),
    _sakura(103, "small", "soft", 2200, (Name("綿の風呂敷", "風呂敷"), Name("Cotton Furoshiki", "furoshiki"))),
    _sakura(104, "small", "soft", 1600, (Name("和三盆の詰め合わせ", "和三盆"), Name("Wasanbon Sweets", "wasanbon"))),
    _sakura(105, "small", "hard", 2400, (
        Name("漆塗りの夫婦箸", "夫婦箸"), Name("Lacquered Chopsticks", "chopsticks"))),
    _sakura(106, "small", "hard", 2800, (Name("有田焼の茶碗", "茶碗"), Name("Arita Rice Bowl", "rice bowl"))),
    _sakura(201, "mid", "hard", 14800, (Name("南部鉄器の鉄瓶", "鉄瓶"), Name("Cast Iron Kettle", "iron kettle"))),
    _sakura(202, "mid", "hard", 9800, (Name("伊賀焼の土鍋", "土鍋"), Name("Iga Clay Pot", "clay pot"))),
    _sakura(203, "mid", "soft", 12800, (Name("綿の浴衣", "浴衣"), Name("Cotton Yukata", "yukata"))),
    _sakura(204, "mid", "hard", 6800, (Name("曲げわっぱの弁当箱", "弁当箱"), Name("Cedar Bento Box", "bento box"))),
    _sakura(205, "mid", "soft", 16500, (Name("和紙の行灯", "行灯"), Name("Paper Lantern", "paper lantern"))),
    _sakura(301, "large", "hard", 68000, (Name("桐の小箪笥", "箪笥"), Name("Paulownia Chest", "chest"))),
    _sakura(302, "large", "hard", 89000, (Name("欅の座卓", "座卓"), Name("Zelkova Low Table", "low table"))),
    _sakura(303, "large", "soft", 45000, (Name("和紙の屏風", "屏風"), Name("Folding Screen", "folding screen"))),
)  # fmt: skip

GOODS: dict[str, tuple[Item, ...]] = {"north": NORTH, "sakura": SAKURA}
SOLD_OUT: dict[str, tuple[str, ...]] = {
    "north": ("FF-0103", "FF-0107", "FF-0202", "FF-0206", "FF-0301"),
    "sakura": ("SL-0105", "SL-0202", "SL-0203"),
}
"""SKUs that have sold out since: the supplier's feed says when they come back."""


def feed_csv(shop: str, restock: dict[str, str], available: dict[str, int]) -> bytes:
    """The supplier's CSV: sku, available, restock_date (ISO, empty while in stock), price, title."""
    currency = "JPY" if shop == "sakura" else "USD"
    rows = ["sku,available,restock_date,price,title"]
    for item in GOODS[shop]:
        cost = decimal_text(item.prices[currency] // 2, currency)
        title = item.names["ja" if shop == "sakura" else "en"].title.replace(",", "")
        stock, back = available.get(item.sku, 0), restock.get(item.sku, "")
        rows.append(f"{item.sku},{stock},{back},{cost},{title}")
    return ("\r\n".join(rows) + "\r\n").encode()
