"""Every task that may be queued, by its short name; a system check resolves each path."""

TASKS = {
    "advance": "cases.tasks.advance",
    "execute": "cases.tasks.execute",
    "settle": "cases.tasks.settle",
}

CLUSTER = {"advance": "planner", "execute": "urgent", "settle": "default"}
