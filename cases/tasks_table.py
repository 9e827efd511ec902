"""Every task that may be queued, by its short name; a system check resolves each path."""

TASKS = {
    "advance": "cases.tasks.advance",
    "execute": "cases.tasks.execute",
    "settle": "cases.tasks.settle",
    "probe": "cases.vendors.run_probe",
    "check_vendors": "cases.vendors.check_vendors",
}

CLUSTER = {
    "advance": "planner",
    "execute": "urgent",
    "settle": "default",
    "probe": "default",
    "check_vendors": "bulk",
}
