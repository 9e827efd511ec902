"""What others do with the same work, each in a process of its own; nothing here is imported by the benchmarks."""
