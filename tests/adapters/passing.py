"""Time that passes for the rows of budgets and circuits: they live on the database's clock, which nobody can move."""

from datetime import timedelta

from django.db.models import F

from tools.models import Circuit, RateBudget


def pass_time(seconds: float) -> None:
    """Makes all that budgets and circuits remember so many seconds older."""
    gone = timedelta(seconds=seconds)
    RateBudget.objects.update(level_at=F("level_at") - gone)
    Circuit.objects.update(open_until=F("open_until") - gone)
