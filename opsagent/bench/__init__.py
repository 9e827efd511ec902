"""Benchmarks: the real intake, queue and executor beside others that do the same, in the same minute."""
