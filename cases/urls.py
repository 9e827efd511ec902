"""Where vendors deliver."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from cases.webhooks import EmailHook, ShopifyHook, StripeHook, WhatsAppHook

urlpatterns = [
    path("<slug:shop>/shopify/", csrf_exempt(ShopifyHook.as_view()), name="hook-shopify"),
    path("<slug:shop>/stripe/", csrf_exempt(StripeHook.as_view()), name="hook-stripe"),
    path("<slug:shop>/whatsapp/", csrf_exempt(WhatsAppHook.as_view()), name="hook-whatsapp"),
    path("<slug:shop>/email/<slug:esp>/", csrf_exempt(EmailHook.as_view()), name="hook-email"),
]
