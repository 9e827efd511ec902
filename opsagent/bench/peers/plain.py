"""The plainest DRF view for a webhook: parsed by the framework, kept by get_or_create, followed by async_task."""

from __future__ import annotations

from django.db import connection, models
from django.urls import path
from django_q.tasks import async_task
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class PlainEvent(models.Model):
    """One delivery, once."""

    external_id = models.CharField(max_length=64, unique=True)
    topic = models.CharField(max_length=64)
    payload = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "plain"

    def __str__(self) -> str:
        return self.external_id


class Webhook(APIView):
    """Without a signature, an order or an audit log: the least that the usual stack does."""

    def post(self, request: Request) -> Response:
        event, created = PlainEvent._default_manager.get_or_create(
            external_id=request.headers["X-Shopify-Webhook-Id"],
            defaults={"topic": request.headers["X-Shopify-Topic"], "payload": request.data},
        )
        if created:
            async_task("math.sqrt", event.pk)
        return Response({"id": event.pk}, status=201 if created else 200)


urlpatterns = [path("hook/", Webhook.as_view())]


def make_table() -> None:
    """Once, where the benchmark's database has none yet."""
    if PlainEvent._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(PlainEvent)
