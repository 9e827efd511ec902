from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from opsagent.admin_site import site

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", site.urls),
]
