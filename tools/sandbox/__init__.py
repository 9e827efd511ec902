"""Stateful stand-ins for the vendors over real HTTP, written from the vendors' own documents.

An independent witness: it imports nothing of ours outside this package and keeps its ledger in a file of its own.
"""
