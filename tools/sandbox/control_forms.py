"""Checks that all control requests share."""

from tools.sandbox.exchange import Doc


class ControlError(ValueError):
    """The control request can't be followed; the message says why."""


def need(body: Doc, fields: tuple[str, ...]) -> None:
    missing = [name for name in fields if body.get(name) is None]
    if missing:
        raise ControlError(f"missing: {', '.join(missing)}")


def one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ControlError(f"{name} must be one of {', '.join(known)}")
