"""Where vendors deliver."""

from django.urls import path

from cases.webhooks import EmailHook, ShopifyHook, StripeHook, WhatsAppHook

urlpatterns = [
    path("<slug:shop>/shopify/", ShopifyHook.as_view(), name="hook-shopify"),
    path("<slug:shop>/stripe/", StripeHook.as_view(), name="hook-stripe"),
    path("<slug:shop>/whatsapp/", WhatsAppHook.as_view(), name="hook-whatsapp"),
    path("<slug:shop>/email/<slug:esp>/", EmailHook.as_view(), name="hook-email"),
]
