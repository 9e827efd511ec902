"""French."""

from cases.triage.words import Table

INTENTS: Table = {
    "where": (
        0.7,
        """
        (où|ou) (est|en est|en sont|sont|se trouve|reste)
        | quand ~ (arrive*|livré*|recevoir|recevrai*|livraison|livrer |expédié*|va|sera|partir|part
        |parti*|compter|attendre) | suivi | numéro de suivi | statut
        | état (de|d) ~ (commande |livraison|colis) | en route | en chemin | délai* | des nouvelles
        | date de | avancement
        | (a t elle|est elle|est il|a été|ont été|été) ~ (expédié*|envoyé*|parti*)
        | pas encore (parti*|expédié*|envoyé*) | toujours pas (parti*|expédié*) | en retard | retard
        | perdu* | bloqué* | bougé* | ne bouge plus | coincé* | égaré* | combien de temps
        | attend* ~ (commande|colis|livraison) | mouvement | où en est
        """,
    ),
    "not_here": (
        0.75,
        """
        (pas|jamais|rien) ~ (reçu*|arrivé*|livré*|eu|là|trouvé*|venu)
        | n ai (rien|pas|jamais) ~ reçu* | rien reçu
        | (indiqué*|marqué*|noté*|affiche*|dit) ~ (livré*|comme livré*) | introuvable | pas là
        | n est pas arrivé* | rien dans | personne n est | disparu* | jamais arrivé*
        | soi disant livré* | rien n est
        """,
    ),
    "said_delivered": (
        0.8,
        """
        (indiqué*|marqué*|noté*|affiche*|dit|écrit|comme|soi disant|selon|apparemment|serait|statut) ~
        (livré*|distribué*|remis*) | livré* ~ (rien|aucun|pas|or)
        """,
    ),
    "parcel": (0.3, "colis | livraison | commande | transporteur | paquet"),
    "damaged": (
        0.85,
        """
        cassé* | cass* | brisé* | abîmé* | abim* | endommag* | fêlé* | fissur* | ébréché*
        | déchir* | troué* | trou | taché* | tâché* | rayé* | cabossé* | tordu* | défectueu*
        | défaut | en morceaux | en miettes | morceaux | ne fonctionne pas | ne marche pas
        | inutilisable | fendu* | éclaté* | accroc | fuit | percé* | écrasé* | détérioré*
        | n a pas survécu | n ont pas survécu | pas supporté | pas résisté | moisi*
        | en mauvais état | félé* | tache* | fuite
        """,
    ),
    "missing": (
        0.8,
        """
        manqu*
        | (pas|absent|absente) ~ (dans le (colis|carton|paquet)|inclus*|dedans|dans la boîte|fourni*)
        | oubli* | (carton|colis|paquet|boîte) rien | incomplet* | incomplète* | absent*
        | sans (le|la|les|l) | n y (est|était|avait) pas | il n y avait pas | ne contenait pas
        | seulement ~ (reçu|sur|au lieu) | n était pas | n y a pas | pas tout | que ~ sur
        """,
    ),
    "wrong_item": (
        0.85,
        """
        (mauvais|mauvaise|mauvaises) (article*|produit*|taille|couleur|colis|commande|objet|modèle
        |référence) | au lieu d* | à la place
        | erreur (de|d|dans) ~ (commande|article|produit|préparation|colis|livraison|envoi)
        | autre chose | pas (le|la|les) (bon|bonne|bons|bonnes) | pas ce que j | ne correspond pas
        | tout autre chose | trompé* | n est pas (le|la|l|mon|ma|ce) | différent* | interverti*
        | confusion | inversé* | échangé | pas commandé* | mélang* | erreur
        """,
    ),
    "return": (
        0.85,
        """
        retour* | renvoy* | renvoi* | rendre | restitu* | reprendre | rétract* | changé d avis
        | échang* | pas garder | ne me convient | convient pas | ne va pas | ne me plaît
        | trop (grand*|petit*|large|étroit*) | bon de retour | étiquette
        """,
    ),
    "refund_status": (
        0.8,
        """
        (où|quand|attend*|toujours|statut|nouvelles|reçu|vu|savoir|vérifier) ~ rembours*
        | rembours* ~ (toujours|pas |encore|promis|arrivé|effectué|fait|quand|où|en est|été|apparaît
        |visible|reçu|passé) | promis* | mon remboursement | le remboursement
        | pas sur mon (compte|relevé) | rien sur mon compte | être remboursé* ~ quand
        """,
    ),
    "refund_wish": (0.35, "rembours* | mon argent | dédommag* | avoir | compensation"),
    "cancel": (
        0.9,
        """
        annul* | n envoyez pas | ne pas (envoyer|expédier) | ne l envoyez | par erreur
        | ne (veux|souhaite|voulons) plus | plus besoin | commandé par erreur
        """,
    ),
    "change": (
        0.85,
        """
        adresse | changer ~ (commande|livraison|taille|couleur|quantité) | modifi* | déménag*
        | numéro d appartement | code postal
        | (livrer|envoyer|expédier|livré*|envoyé*) ~ (au bureau|ailleurs|à mon bureau|plutôt|autre)
        | plutôt (à|au|chez) | corriger | digicode | étage | appartement
        """,
    ),
    "stock": (
        0.9,
        """
        en stock | rupture | de nouveau (disponible*|en) | disponib* | réassort* | réapprovisionn*
        | épuisé* | stock* | à nouveau | de retour | revenir | reviendra
        """,
    ),
    "product": (
        0.5,
        """
        (est|sont|peut|peuvent|pouvez|proposez|avez|va|convient|serait|faites|passerait|passe) (ce|il|elle
        |t il|t elle|on |vous|le|la|les|un|une) | quel* | est ce que | combien (pèse|mesure|coûte)
        | dimension* | poids | matière | allerg* | lave vaisselle | grav* | emballage cadeau
        | question sur | adapté* | compatible
        """,
    ),
    "thanks": (
        0.6,
        """
        merci | ravi* | magnifique* | parfait* | superbe* | très (content*|beau|belle|joli*|satisfait*)
        | bravo | génial* | adore | adorons | bien arrivé* | félicitations | impeccable* | enchant*
        | sublime* | splendide* | aucune réponse
        """,
    ),
    "person": (
        0.9,
        """
        (parler|joindre|contact*) ~ (quelqu un|humain|conseiller|personne|responsable) | vraie personne
        | rappele*
        """,
    ),
}

ALL = "tous | toutes | tout | les deux | entier* | entière* | totalité | ensemble"
ONES = "(un|une|l un|l une) (des|de|d entre)"
NUMBERS = "un deux trois quatre cinq six sept huit neuf dix onze douze"
BREAKS = "mais | cependant | tandis | sauf | excepté | au lieu | seul | seule | alors | pourtant | par contre"
FINE = """
vont bien | va bien | reste | autres | intact* | impeccable* | à part | tout le reste | sont bien | en bon état
| à la place | j ai reçu (un|une|des) | reçu (un|une|des) | parfait* | sont nickel
"""
