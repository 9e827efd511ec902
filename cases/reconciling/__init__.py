"""A webhook that never came is found all the same: what changed at a vendor is read since a cursor, into the intake.

watch ─▶ ring_due() ─▶ reconcile(cursor) ─▶ claim ─▶ read a page ─▶ what nobody told us ─▶ intake.receive()
                                              └───── keep the place, only when all before it is committed
"""
