"""Graph API errors: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes."""


class RefusedError(Exception):
    """A Graph API error object."""

    def __init__(self, status: int, code: int, message: str, kind: str = "OAuthException") -> None:
        super().__init__(message)
        self.status, self.error = status, {"message": message, "type": kind, "code": code}
