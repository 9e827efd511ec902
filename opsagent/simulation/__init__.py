"""Drives made-up cases through the real code against the sandbox, and breaks things at every point that it finds."""
