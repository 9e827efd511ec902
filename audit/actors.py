"""Who did it: every service that writes takes an Actor, and every audit entry names one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Kind = Literal["staff", "agent", "triage", "system", "vendor", "customer"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who answers for a change; `name` is for screens and is never written to the log.

    `id` is a key, a code or a random id. Raises ValueError for an unknown kind, or for an id that is
    empty or looks like an address.
    """

    kind: Kind
    id: str
    name: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"An actor is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if not self.id or "@" in self.id or len(self.id) > 100:
            raise ValueError("An actor's id is a key, a code or a random id of at most 100 characters.")


AGENT = Actor("agent", "agent", "Agent")
TRIAGE = Actor("triage", "triage", "Triage")
SYSTEM = Actor("system", "system", "System")


def staff(user: "AbstractBaseUser") -> Actor:
    """A member of staff, known in the log by the account's key, so that a renamed person stays one person."""
    if user.pk is None:
        raise ValueError("Somebody who is not signed in can't be an actor.")
    return Actor("staff", str(user.pk), user.get_username())


def vendor(source: str) -> Actor:
    """A vendor whose webhook or answer made the change, by its code, such as `stripe`."""
    return Actor("vendor", source, source.capitalize())


def customer(person_id: object) -> Actor:
    """A customer, by the random id of the Person row."""
    return Actor("customer", str(person_id), "Customer")
