"""The web server's entrance (granian --interface wsgi opsagent.wsgi:application)."""

import multiprocessing
import os

from django.core.wsgi import get_wsgi_application

from opsagent.doors import Doors
from opsagent.launch import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsagent.settings")
# Else a killed server's workers would go on holding its port.
if (server := multiprocessing.parent_process()) and server.pid:
    die_with_parent(server.pid)

application = Doors(get_wsgi_application())
