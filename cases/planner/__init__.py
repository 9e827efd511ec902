"""The planner: reads a case and proposes one action; it writes nothing and decides nothing."""
