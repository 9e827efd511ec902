"""Spanish."""

from cases.triage.words import Table

INTENTS: Table = {
    "where": (
        0.7,
        """
        (dónde|donde) ~ (está|estará|anda|va|queda|pedido|paquete|se encuentra)
        | (cuándo|cuando) ~ (llega*|llegará|recib* |entreg*|sale|saldrá|envía*|esperar|viene|tendré)
        | seguimiento | rastre* | número de guía | estado | en camino | fecha de
        | (han|se ha|ha sido|fue|ya) ~ (enviado|enviaron|salido|mandado|despachado) | novedades
        | noticias | todavía no (ha salido|sale|lo envían) | retras* | demora* | tarda* | perdid*
        | extravi* | atascad* | bloquead* | parado | no se mueve | cuánto (tarda*|falta|tiempo)
        | esperando ~ (pedido|paquete) | movimiento* | actualiz* | perdió | mueve
        """,
    ),
    "not_here": (
        0.75,
        """
        (no|nunca|nada|tampoco) ~ (llegado|llegó|llega|recibido|recibí|entregado|aparece|está|encuentro
        |venido|vino|tengo |aparecido)
        | (dice|figura|consta|aparece|marca*|según|indica|sale) ~ entregad* | no hay nada | sin rastro
        | desaparecid* | aún no | todavía no | sigo sin | no lo encuentro
        """,
    ),
    "said_delivered": (
        0.8,
        """
        (dice|dicen|figura|consta|aparece|marca*|según|indica|sale|supuestamente|pone) ~ (entregad*
        |entregó|entregaron)
        """,
    ),
    "parcel": (0.3, "paquete | envío | entrega | pedido | transportista"),
    "damaged": (
        0.85,
        """
        rot | rota | rotas | roto | rotos | romp* | dañad* | desperfect* | daño* | agrietad* | grieta*
        | rajad* | quebrad* | astillad* | desgarr* | agujer* | manchad* | mancha* | rayad* | abollad*
        | doblad* | defectuos* | defecto* | averiad* | estropead* | en pedazos | hecho pedazos
        | hech* añicos | añicos | pedazos | no funciona | inservible | inutilizable | raja | rasgad*
        | deterior* | descosid* | mal estado | mojad* | aplastad* | fisura* | trozos | no sobreviv*
        | partid* | moho | golpead* | hecha polvo | destrozado en | desportillad*
        """,
    ),
    "missing": (
        0.8,
        """
        falta | faltan | faltaba | faltaban | faltó | faltante*
        | (no|nunca) ~ (venía*|vino|vinieron|incluid*|estaba|estaban |dentro|en la caja|en el paquete|en
        el envío) | incomplet* | olvidaron | olvidad* | sin (el|la|los|las)
        | solo (llegó|recibí|han llegado|he recibido|vinieron|venían) | no había | ni rastro
        | no estaba todo
        """,
    ),
    "wrong_item": (
        0.85,
        """
        equivocad* | equivocaron | equivocación | incorrect* | erróne* | en (lugar|vez) de* | otra cosa
        | otro (artículo |producto|objeto|modelo|color) | no es (lo que|el|la|mi) | no es lo
        | confusión | confundid* | confundieron | error (en|con|de) ~ (pedido|envío) | distint*
        | diferent* | no correspond* | no pedí | no he pedido | me han cambiado | lo que pedí
        """,
    ),
    "return": (
        0.85,
        """
        devolver* | devolución* | devolu* | devuelv* | retorn* | cambié de (opinión|idea)
        | cambiado de (opinión|idea) | no me (queda|sirve|gusta|convence|va)
        | no (quiero|vamos a|voy a) ~ (quedarme|quedárme*|quedarnos) | desist*
        | (muy|demasiado) (grande|pequeñ*|estrech*) | cambiarl* | enviar ~ de vuelta | mandar ~ de vuelta
        | enviarl* de vuelta | etiqueta | de vuelta
        """,
    ),
    "refund_status": (
        0.8,
        """
        (dónde|cuándo|cuando|esper*|estado|sigo|todavía|aún|recibido|visto|comprobar|saber) ~
        (reembolso|devolución del dinero|abono|dinero|reintegro)
        | (reembolso|abono|reintegro) ~ (no|aún|todavía|prometid*|hecho|realizado|ya|llega* |cuándo
        |procesado|ha|está) | prometi* | mi reembolso | el reembolso
        | no (aparece|está) ~ (cuenta|tarjeta|extracto) | nada en mi cuenta
        """,
    ),
    "refund_wish": (
        0.35,
        """
        reembols* | dinero | compens* | reintegr* | abono | devolver* el dinero | devuelvan el dinero
        | devolución del
        """,
    ),
    "cancel": (
        0.9,
        """
        cancel* | anul* | no (lo|la|los) envíen | no enviar* | por error
        | ya no (lo|la|los|quiero|necesito) | pedí por equivocación
        """,
    ),
    "change": (
        0.85,
        """
        dirección
        | (cambiar|modificar|corregir|actualizar) ~ (pedido|talla|color|cantidad|entrega|envío)
        | me mud* | mudanza | nos mudamos | código postal | número de piso
        | olvid* ~ (piso|puerta|portal|número)
        | (enviar*|mandar*|entregar*|enviad*) ~ (oficina|trabajo |otra) | domicilio | portal | oficina
        """,
    ),
    "stock": (
        0.9,
        """
        agotad* | disponib* | en existencias | existencias | en stock | stock | reponer* | reposición
        | repon* | volver ~ a tener*
        | (tendrán|tendréis|habrá|volverá|vuelve) ~ (de nuevo|otra vez|más|a haber|a estar)
        | (otra vez|de nuevo) ~ (venta|disponible)
        """,
    ),
    "product": (
        0.5,
        """
        (es|son|se puede|pueden|puede|tienen|tiene|sirve|cabe|cabría|hacen|ofrecen|está|podrían|ha sido
        |sería) (el|la|los |las|un|una|apto|apta|adecuad*|compatible|grabar|de|que|por)
        | cuánto (pesa|mide|cuesta|pesan) | qué (tamaño |material|medidas|peso|taller) | medidas
        | dimensiones | peso | material | alerg* | alérgic* | lavavajillas | grab* | envolver
        | pregunta sobre | apto* | apta*
        """,
    ),
    "thanks": (
        0.6,
        """
        gracias | encantad* | precios* | perfect* | maravillos* | genial | contentísim*
        | muy (content*|feliz|bonit*|bien) | estupend* | excelente* | me encanta | nos encanta
        | felicidades | enhorabuena | llegó (bien|perfect*) | buen trabajo | hermos*
        """,
    ),
    "person": (
        0.9,
        """
        (hablar|contactar) ~ (persona|humano|alguien|agente|encargad*) | persona real | llámen*
        | que me llamen
        """,
    ),
}

ALL = "todos | todas | todo | ambos | ambas | los dos | las dos | enter* | complet*"
ONES = "(un|uno|una) (de los|de las|de)"
NUMBERS = "uno dos tres cuatro cinco seis siete ocho nueve diez once doce"
BREAKS = "pero | sin embargo | mientras | excepto | salvo | solo | aunque | sino"
FINE = """
están bien | está bien | resto | demás | intact* | otros | otras | lo demás | perfectamente | en perfecto estado
| he recibido (un|una|unos) | recibí (un|una|unos) | me llegó (un|una|unos) | llegó (un|una) | hay (un|una)
"""
