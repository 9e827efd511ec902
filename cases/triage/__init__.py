"""Triage: what a message's words betray, found fast enough for the intake transaction."""
