"""Spanish."""

from cases.triage.words import Table

ANGER: Table = {
    "swearing": (
        0.85,
        """
        mierda* | puta | puto | putos | joder | jodan | cabron* | gilipollas | coño | me cago | hijos de
        | cojones | pendejo* | chinga* | a la mierda
        """,
    ),
    "fury": (
        0.75,
        """
        furioso | furiosa | indignado | indignada | indignante | harto | harta | hartos | enfadadísim*
        | cabread* | muy enfadad* | enojadísim* | muy enojad* | rabia | estoy que trino
        | hasta las narices | hasta el gorro | ya basta | ya está bien | un insulto
        | se acabó mi paciencia | paciencia ~ (límite|agotado|acabado) | colmo | enfadad* | enojad*
        | indignación
        """,
    ),
    "insult": (
        0.7,
        """
        estafador* | estafa | ladrones | ladrón | sinvergüenza* | mentiros* | mentira* | incompetente*
        | inútiles | vergonzos* | una vergüenza | qué vergüenza | lamentable* | idiota* | timo
        | timadores | caraduras | tomadura de pelo | tomando el pelo | tomar el pelo | burla | robo
        | me están robando | me han robado el dinero
        """,
    ),
    "worst": (
        0.6,
        """
        (peor|pésimo) ~ (servicio|tienda|empresa|experiencia|atención|compra) | nunca más
        | jamás ~ (compr*|volver*) | no vuelvo a | inaceptable* | intolerable* | inadmisible*
        | cero estrellas | una estrella | exijo | es una broma | están de broma | qué se creen
        """,
    ),
    "harsh": (
        0.45,
        """
        ridícul* | increíble | pésim* | horrible* | terrible | fatal | desastre | asco | asqueros*
        | peor | odio | estúpid* | ignoran | ignorado | ignorada | excusas | encargado | gerente
        | pesadilla | absurdo | falta de respeto | trustpilot | mala reseña | indecente
        """,
    ),
    "annoyed": (0.2, "muy decepcionad* | frustrad* | molest*"),
}

DISTRESS: Table = {
    "danger": (
        1.0,
        """
        suicid* | matarme | quitarme la vida | quiero morir* | no quiero vivir | ganas de morir
        """,
    ),
    "grief": (
        0.65,
        """
        falleció | fallecid* | fallecimiento | funeral | entierro | de luto | el luto | murió
        | ha muerto | corazón roto | velatorio
        """,
    ),
    "despair": (
        0.65,
        """
        desesperad* | en la uci | cuidados intensivos | perdido todo | lo perdimos todo | quemó la casa
        | llorando | he llorado | lloro | no puedo más | ya no sé qué hacer | no sé qué hacer
        | depresión | deprimid* | destrozad* | hundid* | les suplico | le suplico | os suplico
        | ataque de (pánico|ansiedad) | angustiad* | desolad* | aterrad* | desahuci* | entre lágrimas
        """,
    ),
    "worry": (
        0.35,
        """
        pánico | ansiedad | angustia | hospital | cáncer | miedo | no duermo | agobiad* | triste
        | arruinad* | lágrimas | urgencias | muy preocupad* | no puedo dormir | estresad*
        """,
    ),
}

LEGAL: Table = {
    "court": (
        0.9,
        """
        demandar* | demandarl* | demandaré | denunciar* | denunciaré | denuncia
        | (acciones|medidas) (legales|judiciales) | vía (legal|judicial) | vías legales
        | (ante|iré|iremos|ir|acudir*|llevar*|vemos|veremos) ~ (tribunal|tribunales|juzgado|juzgados)
        | a juicio | querella | burofax | por lo legal | acción legal | una demanda
        """,
    ),
    "lawyer": (0.75, "abogad* | asesoría jurídica | asesor jurídico"),
    "authority": (
        0.75,
        """
        (oficina|organismo|protección|defensa) ~ consumidor | ocu | omic | facua | profeco
        | consumo ~ (reclamación|denuncia|queja) | hoja de reclamaciones | hojas de reclamaciones
        | policía | guardia civil
        """,
    ),
    "claim": (
        0.6,
        """
        daños y perjuicios | contracargo | devolución de cargo | retroceso del cargo
        | reclamación formal | mis derechos | incumplimiento de contrato | ilegal* | rgpd
        | ley de consumidores | disputa ~ (banco|paypal) | (banco|paypal) ~ disputa | reclamar ~ banco
        | chargeback
        """,
    ),
}

FRAUD: Table = {
    "not_me": (
        0.85,
        """
        no (he hecho|hice|realicé|he realizado|autoricé|he autorizado|efectué|he efectuado) ~ (pago
        |compra|pedido|cargo|transacción|eso|esa|este|esta) | no autorizad*
        | (cargo|pago|compra|pedido|transacción) ~ no (hice|realicé|autoricé|reconozco|he hecho|he
        realizado|es mío|es mía) | nunca (hice|realicé|he hecho|he comprado|he pedido|compré|pedí)
        | jamás (hice|he comprado|he hecho) | no fui yo | yo no fui
        | sin mi (permiso|consentimiento|autorización) | no he sido yo | no es un pedido mío
        """,
    ),
    "unknown_charge": (
        0.7,
        """
        no reconozco | (cargo|pago|cobro|compra) ~ desconocid* | (cargo|pago|cobro) sospechos*
        | cargo extraño | no sé ~ (cargo|cobro) | de dónde ~ (cargo|cobro) | no es mi pedido
        """,
    ),
    "stolen": (
        0.85,
        """
        (tarjeta|cartera|identidad) ~ (robad*|robaron|clonad*|hackead*|perdid*)
        | (robad*|robaron|robo de|robo) ~ (tarjeta|cartera|identidad) | suplanta* | hackead* | hackearon
        | alguien ~ (usado|usó|utilizado|utilizó|comprado|compró|usando|pedido) ~ (tarjeta|nombre
        |cuenta|mi|mis) | usado mi tarjeta | usaron mi tarjeta | clonaron
        """,
    ),
    "fraud": (0.6, "fraude | fraudulent* | phishing"),
}

GUARDS: Table = {
    "idiom": (
        0.0,
        """
        regalo para ~ (abogado|abogada) | increíble (calidad|producto|regalo) | increíblemente
        | sin miedo | da rabia que | un robo de | nunca más ~ sin | no hay prisa | no pasa nada
        | mala suerte
        """,
    ),
}

NEGATIONS = frozenset("no sin nunca jamas ni tampoco ningun ninguna".split())
SOFTENERS = ("un poco", "algo", "ligeramente", "un poquito", "un tanto")
TURNS = frozenset("pero si o sino salvo aunque".split())
