"""Common goods in five languages: customers name a thing in their words, feeds and titles in the shop's.

One row a thing; columns en, de, fr, es, ja, each with one or more words. Heads of compounds are enough
(`lampe` finds `Tischlampe`).
"""

from __future__ import annotations

from functools import cache

from cases.triage.words import tokens

ROWS = """
mug cup | tasse becher | tasse mug gobelet | taza | マグ 湯呑 カップ
glass tumbler | glas | verre | vaso copa | グラス コップ
bowl | schale schussel | bol saladier | cuenco bol tazon | 茶碗 椀 ボウル 鉢
plate dish | teller | assiette | plato | 皿
candle | kerze | bougie | vela | キャンドル ろうそく 蝋燭
towel | handtuch geschirrtuch | serviette torchon | toalla pano | 手ぬぐい タオル 布巾
sock socks | socke socken sockenpaar | chaussette chaussettes | calcetin calcetines | 靴下
hat beanie cap | mutze hut kappe | bonnet chapeau casquette | gorro sombrero gorra | 帽子
scarf | schal | echarpe foulard | bufanda panuelo | マフラー スカーフ
glove gloves | handschuh handschuhe | gant gants | guante guantes | 手袋
blanket throw | decke | couverture plaid | manta | 毛布 ブランケット
pillow cushion | kissen | coussin oreiller | cojin almohada | 枕 クッション 座布団
lamp light | lampe leuchte | lampe luminaire | lampara | ランプ 照明 行灯
lantern | laterne | lanterne | farol linterna | 行灯 提灯 ランタン
kettle | kessel | bouilloire | hervidor tetera | 鉄瓶 やかん ケトル
teapot | teekanne kanne | theiere | tetera | 急須
pot saucepan casserole | topf | casserole marmite cocotte | olla cazuela | 鍋
pan skillet | pfanne | poele | sarten | フライパン
knife | messer | couteau | cuchillo | 包丁 ナイフ
fork | gabel | fourchette | tenedor | フォーク
spoon | loffel | cuillere | cuchara | スプーン 匙
chopsticks | stabchen essstabchen | baguettes | palillos | 箸
tray | tablett | plateau | bandeja | 盆 トレイ トレー
vase | vase | vase | jarron florero | 花瓶
basket | korb | panier | cesta canasta | かご 籠 バスケット
box | dose kiste schachtel | boite coffret | caja | 箱
bottle | flasche | bouteille gourde | botella | ボトル 瓶 水筒
backpack rucksack | rucksack | sac | mochila | リュック
bag tote | tasche beutel | sac cabas | bolsa bolso | バッグ 鞄 袋
wallet purse | geldborse portemonnaie | portefeuille | cartera monedero | 財布
chair armchair | stuhl sessel | chaise fauteuil | silla sillon | 椅子 チェア
table desk | tisch | table gueridon bureau | mesa mesita escritorio | 机 卓 テーブル
chest drawer dresser cabinet | kommode schrank truhe | commode armoire coffre | comoda armario | 箪笥 棚
shelf | regal | etagere | estante estanteria | 棚 シェルフ
stool | hocker | tabouret | taburete | スツール
rug carpet | teppich | tapis | alfombra | 絨毯 ラグ カーペット
curtain | vorhang | rideau | cortina | カーテン
mirror | spiegel | miroir | espejo | 鏡
clock watch | uhr | horloge montre | reloj | 時計
screen | paravent wandschirm | paravent | biombo | 屏風
tent | zelt | tente | tienda | テント
notepad pad notebook | notizblock block notizbuch heft | bloc carnet cahier | bloc cuaderno libreta | ノート メモ
book | buch | livre | libro | 本
shirt | hemd shirt | chemise | camisa camiseta | シャツ
sweater jumper pullover | pullover pulli | pull | jersey sueter | セーター
jacket coat | jacke mantel | veste manteau | chaqueta abrigo | ジャケット コート
dress | kleid | robe | vestido | ドレス ワンピース
shoe shoes boots | schuh schuhe stiefel | chaussure chaussures bottes | zapato zapatos botas | 靴
apron | schurze | tablier | delantal | エプロン
soap | seife | savon | jabon | 石鹸
umbrella | schirm regenschirm | parapluie | paraguas | 傘
kimono yukata robe | yukata kimono | yukata kimono | yukata kimono | 浴衣 着物
furoshiki wrapping cloth | furoshiki tuch | furoshiki | furoshiki | 風呂敷
bento lunchbox | bentobox brotdose | bento | bento fiambrera | 弁当
"""

_COLUMNS = ("en", "de", "fr", "es", "ja")


@cache
def _things() -> tuple[dict[str, tuple[str, ...]], ...]:
    rows = (row.split("|") for row in ROWS.strip().splitlines())
    return tuple(
        {code: tuple(column.split()) for code, column in zip(_COLUMNS, row, strict=True)} for row in rows
    )


@cache
def _heads() -> dict[str, frozenset[int]]:
    """Which things a word of an alphabet language stands for."""
    found: dict[str, set[int]] = {}
    for at, thing in enumerate(_things()):
        for code in _COLUMNS[:-1]:
            for word in thing[code]:
                for folded in tokens(word):
                    found.setdefault(folded, set()).add(at)
    return {word: frozenset(things) for word, things in found.items()}


def things(text: str) -> set[int]:
    """Numbers of the things that a text names, in any language; a compound names its head alone."""
    found: set[int] = set()
    for word in set(tokens(text)):
        found |= _of_word(word)
    for at, thing in enumerate(_things()):
        if any(sign in text for sign in thing["ja"]):
            found.add(at)
    return found


def _of_word(word: str) -> frozenset[int]:
    heads = _heads()
    for cut in (word, word[:-1], word[:-2]):
        # The longest end of the word that is known: "tischlampe" is a lamp.
        for start in range(len(cut) - 2):
            if (start == 0 or len(cut) - start >= 4) and cut[start:] in heads:
                return heads[cut[start:]]
    return frozenset()


def all_words(numbers: set[int]) -> set[str]:
    """Every word of these things in every language."""
    return {word for at in numbers for words in _things()[at].values() for word in words}
