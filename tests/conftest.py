"""What every test may ask for."""

import pytest
from django.test import Client

from cases.models import User
from tests.signing import signed_in


@pytest.fixture
def admin_client(admin_user: User) -> Client:
    """A superuser's browser, as pytest-django's, with a second factor shown."""
    return signed_in(admin_user)
