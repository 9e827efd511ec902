"""The second factor: something that a person holds, shown when they sign in and for each large refund anew.

    page ─▶ challenge(request, user) ─▶ code or passkey ─▶ prove(): a transaction of its own, counts whatever comes
                                                                 │
                          the signature's transaction ─▶ spend(): once, for this person, request and effect

A TOTP code proves that somebody holds the secret and saw the time; it can't prove which amount they saw. A passkey
signs the effect itself, for this site alone. A recovery code signs nothing: it only lets somebody in.
"""

from approvals.rights import RESTS, money_rights_rest_until
from approvals.second_factor.attempts import TRIES, WINDOW, tries_left
from approvals.second_factor.challenges import LASTS, challenge
from approvals.second_factor.proofs import Code, PasskeyAnswer, Proof, RecoveryCode
from approvals.second_factor.proving import FRESH, prove, prove_sign_in, spend

__all__ = [
    "FRESH",
    "LASTS",
    "RESTS",
    "TRIES",
    "WINDOW",
    "Code",
    "PasskeyAnswer",
    "Proof",
    "RecoveryCode",
    "challenge",
    "money_rights_rest_until",
    "prove",
    "prove_sign_in",
    "spend",
    "tries_left",
]
