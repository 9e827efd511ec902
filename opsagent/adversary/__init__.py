"""A planner in an attacker's hands, who knows the source and sees every answer, let loose on the real thing."""
