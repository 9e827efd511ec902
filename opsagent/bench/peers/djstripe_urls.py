"""dj-stripe's endpoint as its documentation wires it up."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
