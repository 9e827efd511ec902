"""German."""

from cases.triage.words import Table

ANGER: Table = {
    "swearing": (
        0.85,
        """
        scheiß* | scheiss* | verarsch* | arschl* | verdammt* | leck mich | zum teufel | beschissen*
        | verflucht* | am arsch | drecksladen | mistladen
        """,
    ),
    "fury": (
        0.75,
        """
        wütend | stinksauer | stocksauer | stinkwütend | sauer | zornig | empört | schnauze ~ voll
        | nase ~ voll | platzt ~ kragen | kragen ~ (platzt|geplatzt) | reicht es ~ (mir|jetzt|endgültig)
        | mir reicht | jetzt reicht | es reicht | bin außer mir | geduld ~ (ende|vorbei) | koche vor
        """,
    ),
    "insult": (
        0.7,
        """
        frechheit* | unverschämt* | sauerei | schweinerei | saftladen | abzock* | betrüger* | gauner
        | verbrecher* | idiot* | unfähig* | inkompeten* | dreist* | zumutung | unding | unterirdisch*
        | lügner | lügen | verlogen* | schämen sie sich | schämt euch | armutszeugnis | sauladen
        | halsabschneider
        """,
    ),
    "worst": (
        0.6,
        """
        nie wieder
        | (schlechteste*|schlimmste*|miesester|mieseste*) ~ (service|shop|laden|kundenservice|erfahrung
        |firma|kundendienst) | ist ~ das letzte | das letzte mal | wollen sie mich | soll das ein witz
        | was soll das | was erlauben | nicht mehr normal | völlig inakzeptabel | absolut inakzeptabel
        | ich verlange | unter aller sau | eine schande | null sterne | ein stern
        """,
    ),
    "harsh": (
        0.45,
        """
        inakzeptabel | unakzeptabel | lächerlich* | unfassbar | unglaublich | katastroph* | grauenhaft*
        | furchtbar* | schrecklich* | miserabel | mies | miese* | saumäßig | witz | schande | schrott
        | ausrede* | ignoriert | ignorieren | vorgesetzte* | geschäftsführ* | hasse | dumm | verärgert
        | unseriös* | trustpilot | schlechte bewertung | wut | respektlos | unhöflich
        """,
    ),
    "annoyed": (0.2, "sehr enttäuscht | frustrier* | ärgerlich | nervt | genervt | mist"),
}

DISTRESS: Table = {
    "danger": (
        1.0,
        """
        suizid* | selbstmord* | umbringen | nicht mehr leben | das leben nehmen | sterben wollen
        | will sterben
        """,
    ),
    "grief": (
        0.65,
        """
        verstorben* | gestorben | beerdigung | trauerfeier | trauerfall | todesfall | herz gebrochen
        | in trauer | im sterben | fehlgeburt
        """,
    ),
    "despair": (
        0.65,
        """
        verzweifel* | weiß nicht mehr weiter | weiß nicht weiter | bin am ende | mit den nerven
        | nervenzusammenbruch | in tränen | weine | geweint | heule | heulen | völlig fertig
        | kann nicht mehr | flehe | panikattacke* | intensivstation | alles verloren | abgebrannt
        | gebrannt | depressi* | obdachlos | hoffnungslos | kein geld mehr | todunglücklich
        | am boden zerstört
        """,
    ),
    "worry": (
        0.35,
        """
        panik | angst | krankenhaus | krebs | schlaflos* | überfordert | traurig | ruiniert
        | verängstigt | tränen | notfall | schlecht schlafen | nicht schlafen | große sorgen
        """,
    ),
}

LEGAL: Table = {
    "court": (
        0.9,
        """
        verklag* | (rechtliche*|juristische*) (schritte*|mittel*|konsequenz*|maßnahmen) | rechtsweg
        | vor gericht | gerichtlich* | klage (einreichen|erheben) | mahnbescheid | strafanzeige
        | anzeige (erstatten|erstatte|erstattet|bei) | zeige sie an | (vorm|vor dem|zum) amtsgericht
        | klage ich | werde klagen | werde ich klagen | mahnverfahren | abmahn* | klagen werde*
        """,
    ),
    "lawyer": (0.75, "anwalt* | anwält* | rechtsanw* | rechtsschutz* | rechtsbeistand"),
    "authority": (
        0.75,
        """
        verbraucherzentrale* | verbraucherschutz* | polizei | schlichtungsstelle | wettbewerbszentrale
        | datenschutzbehörde | melde sie | bundesnetzagentur
        """,
    ),
    "claim": (
        0.6,
        """
        frist ~ (setze|setzen|gesetzt) | (setze|setzen) ~ frist | letzte frist | schadenersatz
        | schadensersatz | rückbuch* | zurückbuch* | zurück buchen | rückbelast* | käuferschutz
        | dsgvo | vertragsbruch | widerrechtlich | rechtswidrig | meine rechte | chargeback | nachfrist
        | illegal
        """,
    ),
}

FRAUD: Table = {
    "not_me": (
        0.85,
        """
        nicht (autorisiert*|genehmigt*|getätigt*|veranlasst*|freigegeben*) | nie (etwas|was) ~ bestellt
        | niemals ~ (bestellt|gekauft) | nie bei (ihnen|euch) ~ (bestellt|gekauft)
        | nie ~ (bei ihnen|bei euch) | gar nicht aufgegeben | nicht aufgegeben | nie aufgegeben
        | diese bestellung ~ nicht (aufgegeben|gemacht|von mir)
        | nicht von mir (aufgegeben|bestellt|gemacht|getätigt|veranlasst) | unbefugt*
        | nichts ~ bei (ihnen|euch) bestellt
        | ohne (meine|mein) (zustimmung|erlaubnis|einwilligung|wissen|genehmigung) | war ich nicht
        | bestellung ~ nicht von mir | unautorisiert*
        """,
    ),
    "unknown_charge": (
        0.7,
        """
        (abbuchung*|buchung*|zahlung*|belastung*|transaktion*|lastschrift) ~ nicht (kenne|erkenne|zuordnen
        |bekannt|getätigt|veranlasst|von mir)
        | unbekannte* (abbuchung*|zahlung*|belastung*|buchung*|bestellung)
        | (kenne|erkenne) ~ (abbuchung|zahlung|belastung|buchung|bestellung) ~ nicht | nicht zuordnen
        | verdächtige* (abbuchung*|zahlung*|buchung*|bestellung*) | fremde (abbuchung|bestellung)
        | (abbuchung|belastung|zahlung|bestellung) ~ (nicht|nie) ~ (gemacht|ausgelöst|autorisiert
        |getätigt)
        """,
    ),
    "stolen": (
        0.85,
        """
        (karte|kreditkarte|geldbörse|geldbeutel|portemonnaie) ~ (gestohlen|geklaut|missbraucht|gehackt
        |kopiert) | (gestohlene*|geklaute*) ~ (karte|kreditkarte) | identitätsdiebstahl | gehackt
        | kartenbetrug | jemand ~ (karte|kreditkarte|konto|namen|daten) | kreditkartenbetrug
        | kreditkartenmissbrauch | karte ~ (verloren|gesperrt|sperren)
        """,
    ),
    "fraud": (0.6, "betrug | betrugsfall | betrügerisch* | missbrauch | missbraucht | phishing"),
}

GUARDS: Table = {
    "idiom": (
        0.0,
        """
        geschenk ~ (anwalt|anwältin) | anwaltsgehilf* | anwaltsfachangestellt* | anwaltsformat
        | (anwalt|anwältin|anwalts) ~ (geschenk|geburtstag|tasse) | geschenk für ~ (anwalt|anwältin)
        | jurabuch | gesetzbuch | saure* gurken | sauerteig | platz angst | keine angst | leider ~ krank
        | unglaublich (schön*|toll*|gut*|weich*|lecker*|zufrieden|nett*|schnell*) | witzig | tränenfest
        | furchtbar (nett|lieb) | schrecklich (nett|gern) | krebs (sternzeichen|tier) | keine panik
        | ohne witz | wutbürger | nie wieder (woanders|etwas anderes)
        """,
    ),
}

NEGATIONS = frozenset("nicht kein keine keinen keiner nie niemals ohne weder".split())
SOFTENERS = ("etwas", "ein bisschen", "ein wenig", "leicht", "ein klein wenig", "bisschen")
TURNS = frozenset("aber sonst ansonsten oder jedoch falls wenn außer ausser doch bis andernfalls".split())
