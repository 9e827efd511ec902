"""Contracts that we hold ourselves to, and the script that derives them from published packages."""
