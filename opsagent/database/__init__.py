"""Django's PostgreSQL backend, finding the embedded server at each connection."""
