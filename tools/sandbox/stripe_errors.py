"""Stripe's error objects: https://docs.stripe.com/error-codes."""

from tools.sandbox.exchange import Answer, Doc


class RefusedError(Exception):
    """An error object; one that arose in execution is kept under the idempotency key, a validation error isn't."""

    def __init__(self, message: str, *, status: int = 400, executed: bool = False, **fields: str) -> None:
        super().__init__(message)
        self.status, self.executed = status, executed
        self.body = {"error": {"type": "invalid_request_error", "message": message, **fields}}


def missing(what: str, name: str, param: str, *, status: int = 404, executed: bool = False) -> RefusedError:
    message = f"No such {what}: '{name}'"
    return RefusedError(message, status=status, executed=executed, code="resource_missing", param=param)


def mismatch(key: str) -> Doc:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
        f" Try using a key other than '{key}' if you meant to execute a different request."
    )
    return {"error": {"type": "idempotency_error", "message": message}}


def in_progress(key: str | None) -> Answer:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        f" twice, and the other request is still going through): {key}. Please try again later."
    )
    error = {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": message}
    return Answer.json(409, {"error": error}, {"Stripe-Should-Retry": "true"})
