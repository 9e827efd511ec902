"""French."""

from cases.triage.words import Table

ANGER: Table = {
    "swearing": (
        0.85,
        """
        merde | putain | connard* | connasse | bordel | foutez de | fous de ma | vous foutre | se foutre
        | foutage de gueule | enfoir* | salopard* | ras le cul | chier | conneries
        """,
    ),
    "fury": (
        0.75,
        """
        furieux | furieuse | en colère | hors de moi | ras le bol | j en ai marre | marre de
        | j en ai assez | scandalisé* | outré | outrée | excédé* | indigné* | je suis révolté*
        | à bout de patience | patience ~ (limites|bout) | exaspéré*
        """,
    ),
    "insult": (
        0.7,
        """
        arnaqu* | escroc* | escroquerie | voleur* | menteur* | incompétent* | incompétence | honteux
        | honteuse* | insulte* | vous fichez | fichez de | une honte | la honte | scandaleux
        | scandaleuse* | lamentable* | minable* | bande de | vous vous moquez | se moquer du monde
        | moquez de moi | foutez | idiot* | imbécile* | mensonge* | charlatan*
        """,
    ),
    "worst": (
        0.6,
        """
        (pire|pires) ~ (service|boutique|site|expérience|entreprise|magasin) | plus jamais
        | inadmissible* | inacceptable* | intolérable* | c est n importe quoi | du n importe quoi
        | zéro étoile | une étoile | j exige | de qui se moque | vous plaisantez | c est une blague
        """,
    ),
    "harsh": (
        0.45,
        """
        ridicule* | incroyable | déplorable* | catastroph* | horrible* | affreux | affreuse | nul
        | nulle | nuls | pire | mépris | méprisant* | un humain | ignoré | ignorez | ignorée
        | excuses bidon | responsable | cauchemar | déteste | stupide* | absurde | trustpilot
        | mauvais avis | irrespect* | malhonnête*
        """,
    ),
    "annoyed": (0.2, "très déçu* | extrêmement déçu* | agacé* | énervé* | frustr* | pénible"),
}

DISTRESS: Table = {
    "danger": (
        1.0,
        """
        suicid* | me tuer | mettre fin à mes jours | envie de mourir | plus envie de vivre
        """,
    ),
    "grief": (
        0.65,
        """
        décédé* | décès | obsèques | enterrement | funérailles | en deuil | le deuil | est mort
        | est morte | cœur brisé | coeur brisé | fausse couche
        """,
    ),
    "despair": (
        0.65,
        """
        désespér* | réanimation | tout perdu | soins intensifs | en larmes | je pleure | pleuré
        | je craque | à bout | n en peux plus | n en plus pouvoir | dépression | déprim* | effondré*
        | dévasté* | détresse | je vous supplie | je vous en supplie | ne sais plus quoi faire
        | crise de panique | crise d angoisse | bouleversé* | terrifié* | sans abri
        """,
    ),
    "worry": (
        0.35,
        """
        panique | angoiss* | anxieux | anxieuse | hôpital | cancer | peur | ne dors plus | stressé*
        | triste | ruiné* | larmes | urgence | très inquiet | très inquiète | dormir
        """,
    ),
}

LEGAL: Table = {
    "court": (
        0.9,
        """
        porter plainte | porte plainte | porterai plainte | dépôt de plainte | déposer plainte
        | déposer une plainte | poursuites | poursuivre en | en justice
        | (saisir*|devant|porter*|aller*|irai|direct*|retrouv*|verra|verrons|reverr*) ~ (tribunal
        |tribunaux) | action en justice | action légale | actions (légales|juridiques|judiciaires)
        | voie (légale|judiciaire|juridique) | mise en demeure | mets en demeure | assigner
        | assignation | huissier | procédure judiciaire | recours (juridique*|légal) | référé
        | poursuivrai
        """,
    ),
    "lawyer": (0.75, "avocat | avocate | avocats | protection juridique | conseil juridique | juriste"),
    "authority": (
        0.75,
        """
        dgccrf | répression des fraudes | signal conso | signalconso | que choisir | police
        | gendarmerie | association de consommateurs | médiateur | 60 millions | cnil
        | conciliateur de justice
        """,
    ),
    "claim": (
        0.6,
        """
        dommages et intérêts | dommages intérêts | préjudice | rétrofacturation | chargeback
        | opposition (au|à|sur) ~ paiement | contester ~ (paiement|banque) | code de la consommation
        | mes droits | illégal* | rgpd | litige paypal | rejet de prélèvement
        """,
    ),
}

FRAUD: Table = {
    "not_me": (
        0.85,
        """
        pas (autorisé*|effectué*|validé*) ~ (paiement|achat|commande|transaction|débit|prélèvement
        |cela|cet|ce|cette)
        | n ai pas (autorisé|effectué|passé|fait) ~ (paiement|achat|commande|transaction|prélèvement)
        | (paiement|achat|commande|transaction|débit|prélèvement) ~ n ai (pas|jamais) | non autorisé*
        | n ai jamais (passé|effectué|autorisé|fait|commandé|acheté)
        | jamais (passé|effectué|commandé) ~ chez vous | ce n est pas moi
        | sans (mon|ma) (accord|autorisation|consentement) | à mon insu
        | pas été (faite|passée|effectuée) par moi | jamais rien commandé
        """,
    ),
    "unknown_charge": (
        0.7,
        """
        ne reconnais pas | (débit|prélèvement|paiement|achat|transaction) ~ inconnu*
        | (débit|prélèvement|paiement) suspect* | transaction suspecte
        | ne sais pas ~ (débit|prélèvement) | d où vient ce (débit|prélèvement) | pas ma commande
        | inconnu sur mon compte
        """,
    ),
    "stolen": (
        0.85,
        """
        (carte|portefeuille|identité) ~ (volé*|piraté*|usurpé*|copié*|fraud*)
        | vol de ~ (carte|identité) | (volé*|piraté*) ~ (carte|compte|portefeuille) | usurp*
        | piraté*
        | quelqu un ~ (utilisé|commandé|acheté|utilise|payé) ~ (carte|nom|compte|mon|ma|mes)
        | utilisé ma carte | ma carte ~ (perdue|opposition) | fait opposition
        """,
    ),
    "fraud": (0.6, "fraude | frauduleu* | fraudeur* | hameçonnage | phishing"),
}

GUARDS: Table = {
    "idiom": (
        0.0,
        """
        (purée|huile|à l|toast*) ~ avocat* | avocat* (mûr*|vert*) | noyau d avocat | nulle part
        | match nul | cadeau pour ~ avocat* | assiette avocat | pas de panique | incroyablement
        | c est incroyable comme | incroyable (qualité|beauté|travail) | antivol | coupe avocat
        | découpe avocat | responsable du site | pas peur | plus jamais sans
        """,
    ),
}

NEGATIONS = frozenset("pas ne n sans jamais aucun aucune ni".split())
SOFTENERS = ("un peu", "légèrement", "un petit peu", "un tantinet", "quelque peu")
TURNS = frozenset("mais sinon ou cependant toutefois si sauf jusqu faute".split())
