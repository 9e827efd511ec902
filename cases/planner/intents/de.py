"""German."""

from cases.triage.words import Table

INTENTS: Table = {
    "where": (
        0.7,
        """
        wo (ist|bleibt|steckt|bleiben|sind) | wo mein*
        | wann ~ (kommt|komme|kommen|ankommt|ankommen|geliefert|an|eintrifft |erhalte|bekomme|verschickt
        |versandt|versendet|rechnen|lieferung|da|los) | wann | sendungsverfolg* | sendungsnummer
        | tracking | trackingnummer | lieferstatus | bestellstatus | stand (der|meiner|zu|bei) | status
        | liefertermin | lieferzeit | unterwegs | schon (verschickt|versandt|versendet|raus|unterwegs)
        | neuigkeiten | noch nicht (verschickt|versandt|unterwegs|losgeschickt) | lieferdatum
        | verspätung | verspätet | verzögert | wie lange | verloren* | bewegt | hängt | feststeckt
        | steckt fest | stecken geblieben | keine bewegung | voraussichtlich
        | warte ~ (bestellung|paket|lieferung|ware) | zusteller
        """,
    ),
    "not_here": (
        0.75,
        """
        (nicht|nie|nichts|niemals) ~ (angekommen|bekommen|erhalten|da|eingetroffen|geliefert|gekommen
        |zugestellt|ankam |bei mir|auffindbar|erreicht|gefunden|auftauch*) | (als|laut) ~ zugestellt
        | zugestellt ~ (nichts|nicht|aber) | soll ~ zugestellt | angeblich | noch immer nicht
        | verschwunden | fehlt jede spur | kein paket | kam nie | ist weg | nichts da
        """,
    ),
    "said_delivered": (
        0.8,
        """
        (als|laut|soll|angeblich|heißt|steht|meldet|behauptet|sagt) ~ (zugestellt|geliefert|abgegeben)
        | zugestellt ~ (nichts|nicht|aber|kein*)
        """,
    ),
    "parcel": (0.3, "paket | päckchen | sendung | lieferung | bestellung | zusteller | paketdienst"),
    "damaged": (
        0.85,
        """
        beschädig* | kaputt* | zerbroch* | gebroch* | defekt* | gesprung* | sprung | risse | riss
        | rissig | gerissen | zerrissen* | eingerissen | loch | löcher | fleck* | befleckt | verfleckt
        | zerkratzt | kratzer | delle | verbeult | verbogen | undicht | zersplittert | scherben | bruch
        | abgeplatzt | angeschlagen | abgebrochen | funktioniert nicht | geht nicht | unbrauchbar
        | mängel | mangelhaft | transportschaden | schaden | schimmel* | zu bruch | zerdrückt | zerstört
        | stücke | stücken | einzelteile* | nicht überlebt | nicht überstanden | nicht heil
        | demoliert | lädiert | ramponiert
        """,
    ),
    "missing": (
        0.8,
        """
        fehl* | vermiss*
        | (nicht|nirgends) ~ (dabei|drin|enthalten|im paket|im karton|beigelegt|mitgeliefert|mitgeschickt
        |im päckchen|in der lieferung|im lieferumfang) | unvollständig* | vergessen
        | nur ~ (statt|von|anstatt|erhalten) | ohne (die|den|das) | zu wenig | lag nicht | war kein*
        | nicht komplett | nicht alles
        """,
    ),
    "wrong_item": (
        0.85,
        """
        falsch* (artikel|ware|produkt|größe|farbe|teil|sache|lieferung|bestellung|ding|paket|gelieferte
        |geliefert*) | das falsche | den falschen | die falsche | falsches | falschen
        | statt (der|des|dem|meine*|die|den|das) | anstatt | anstelle | verwechs*
        | etwas (anderes|ganz anderes|völlig anderes|komplett anderes) | ganz was anderes | was anderes
        | nicht (das|die|den) was | nicht das was ich | vertauscht | falschlieferung
        | habe ich nicht bestellt | nicht bestellt | anderer artikel | anderen artikel | andere ware
        | ist nicht (die|der|das)
        """,
    ),
    "return": (
        0.85,
        """
        zurückschick* | zurück schick* | zurücksend* | zurück send* | zurückgeb* | zurück geben
        | rücksend* | rückgab* | retour* | retoure | widerruf* | umtausch* | umtauschen | passt ~ nicht
        | gefällt ~ nicht | doch nicht behalten | nicht behalten | zurücknehmen | anders überlegt
        | zu (groß|klein|eng|weit) | zurückgeschickt | zurück
        """,
    ),
    "refund_status": (
        0.8,
        """
        (wann|wo|stand|warte*|noch nicht|noch keine|bekomme|status|immer noch) ~ (erstattung
        |rückerstattung|geld zurück |gutschrift|rückzahlung|geld)
        | (erstattung|rückerstattung|geld|gutschrift|rückzahlung) ~ (noch|schon|nicht|da |eingegangen
        |angekommen|gebucht|wann|raus|veranlasst|versprochen|zugesagt|erfolgt|hat|ist) | versprochen*
        | nicht auf meinem konto | zugesagt* | schon erstattet | bereits erstattet | nichts auf dem konto
        """,
    ),
    "refund_wish": (
        0.35,
        """
        erstatt* | geld zurück | rückerstatt* | gutschrift | entschädig* | mein geld | ersatz
        """,
    ),
    "cancel": (
        0.9,
        """
        storn* | stornier* | annullier* | abbestell* | rückgängig
        | nicht (verschicken|versenden|abschicken|losschicken |mehr haben|mehr brauche)
        | versehentlich bestellt | aus versehen | nicht mehr (benötige|brauche|haben|will) | kündig*
        """,
    ),
    "change": (
        0.85,
        """
        adresse | lieferadresse | anschrift | hausnummer | adressänderung | umgezogen | umziehen
        | ziehen ~ um | umzug | stattdessen (an|nach|ins) | postleitzahl | wohnungsnummer
        | (ins|in mein|an mein) büro | bestellung ändern
        | (ändern|korrigier*|anpassen) ~ (bestellung|größe|farbe|menge) | straße | türschild | klingel
        | c o
        """,
    ),
    "stock": (
        0.9,
        """
        gibt es ~ wieder | wann ~ wieder
        | wieder (verfügbar|lieferbar|da|vorrätig|erhältlich|rein|auf lager|zu haben|ins) | ausverkauft
        | vergriffen | nachschub | auf lager | vorrätig | lieferbar | verfügbar* | nachgeliefert
        | wieder ~ (reinbekommen|kaufen |bekommen|bestellen|sortiment|geben|gibt) | nachbestellt
        | kommt ~ wieder
        """,
    ),
    "product": (
        0.5,
        """
        (ist|sind|kann|können|passt|hat|haben|gibt|eignet|wäre|würde|könnten|könnte|bieten|wurde) (die
        |der|das|es|ihr|sie |man|diese*|sich|ich) | wie (groß|schwer|hoch|breit|lang|viel) | welche*
        | aus welchem | maße | gewicht | geeignet | material | allerg* | spülmaschine* | gravier*
        | gravur | geschenkverpackung | frage zu* | woraus
        """,
    ),
    "thanks": (
        0.6,
        """
        danke | vielen dank | herzlichen dank | dankeschön | wunderschön* | wunderbar* | toll | tolle*
        | super | begeistert | zufrieden | freue* | gefreut | perfekt* | schön* | klasse | gut angekommen
        | lob | großartig | heil angekommen | traumhaft
        """,
    ),
    "person": (
        0.9,
        """
        mit (einem|einer) (menschen|mitarbeiter*|person) | echter mensch | echten menschen | rückruf
        | anrufen
        """,
    ),
}

ALL = "alle | alles | beide | beides | sämtliche | ganze | gesamte | komplett*"
ONES = "(ein|eine|einer|eines|einen|eins) (von|der|davon|des|meiner|den) | (von|der|meiner) ~ ist (ein|eine|einer|eins)"
NUMBERS = "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"
BREAKS = "aber | jedoch | allerdings | während | außer | sondern | nur | statt | stattdessen"
FINE = """
sind in ordnung | ist in ordnung | rest | übrigen | anderen | sind heil | heil | heile | ganz | intakt | alles andere
| sonst | in ordnung | unversehrt | sind ok | stattdessen | bekam ich | erhielt ich | kam ein
"""
