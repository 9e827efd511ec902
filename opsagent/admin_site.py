from django.contrib import admin


class OpsAdminSite(admin.AdminSite):
    site_header = "opsagent"


site = admin.site
