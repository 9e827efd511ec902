from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from opsagent.admin_site import site

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("hooks/", include("cases.urls")),
    path("admin/", site.urls),
]

handler500 = "opsagent.unreachable.failed"
