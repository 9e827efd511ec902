"""The web server's entrance (granian --interface wsgi opsagent.wsgi:application)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsagent.settings")
application = get_wsgi_application()
