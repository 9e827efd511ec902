"""A peer's Django site; which one, its environment says."""

from __future__ import annotations

import multiprocessing

from django.core.wsgi import get_wsgi_application

from opsagent.launch import die_with_parent

# Else a killed server's workers would stay.
if (server := multiprocessing.parent_process()) and server.pid:
    die_with_parent(server.pid)

application = get_wsgi_application()
