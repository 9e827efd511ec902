"""Every task that may be queued, by its short name; a system check resolves each path."""

TASKS = {
    "advance": "cases.tasks.advance",
    "execute": "cases.tasks.execute",
    "settle": "cases.tasks.settle",
    "renew": "cases.tasks.renew",
    "prepare_cancelling": "cases.cancelling.prepare",
    "reconcile": "cases.reconciling.running.reconcile",
    "probe": "cases.vendors.run_probe",
    "check_vendors": "cases.vendors.check_vendors",
    "requeue_events": "cases.vendors.requeue_events",
    "announce_handoff": "cases.announcing.announce_handoff",
    "announce_drift": "cases.announcing.announce_drift",
    "announce_reset": "cases.announcing.announce_reset",
    "read_templates": "cases.vendor_templates.read_templates",
    "read_stock": "cases.stocking.read_stock",
    "check_invariants": "cases.invariants.runs.check_invariants",
    "read_rates": "cases.rates.read_rates",
}

CLUSTER = {
    "advance": "planner",
    "execute": "urgent",
    "settle": "default",
    "renew": "planner",
    "prepare_cancelling": "default",
    "reconcile": "bulk",
    "probe": "default",
    "check_vendors": "bulk",
    "requeue_events": "bulk",
    "announce_handoff": "default",
    "announce_drift": "default",
    "announce_reset": "default",
    "read_templates": "bulk",
    "read_stock": "bulk",
    "check_invariants": "bulk",
    "read_rates": "bulk",
}
