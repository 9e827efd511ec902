from django.db import migrations

FORWARD = """
CREATE FUNCTION tools_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A ledger entry is never changed or deleted: book a counter-entry.';
END $$;
CREATE TRIGGER ledger_entry_is_append_only BEFORE UPDATE OR DELETE ON tools_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION tools_ledger_is_append_only();

CREATE FUNCTION tools_call_keeps_its_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A tool call is never deleted.';
    END IF;
    IF (NEW.idempotency_key, NEW.request, NEW.decision_id, NEW.case_id, NEW.shop_id, NEW.tool, NEW.vendor,
        NEW.position, NEW.amount_minor, NEW.currency)
       IS DISTINCT FROM
       (OLD.idempotency_key, OLD.request, OLD.decision_id, OLD.case_id, OLD.shop_id, OLD.tool, OLD.vendor,
        OLD.position, OLD.amount_minor, OLD.currency)
       OR NEW.payment_id IS DISTINCT FROM OLD.payment_id OR NEW.message_id IS DISTINCT FROM OLD.message_id THEN
        RAISE EXCEPTION 'The effect of a tool call is fixed with its decision; only its outcome may change.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER call_keeps_its_effect BEFORE UPDATE OR DELETE ON tools_toolcall
    FOR EACH ROW EXECUTE FUNCTION tools_call_keeps_its_effect();
"""

REVERSE = """
DROP TRIGGER ledger_entry_is_append_only ON tools_ledgerentry;
DROP FUNCTION tools_ledger_is_append_only();
DROP TRIGGER call_keeps_its_effect ON tools_toolcall;
DROP FUNCTION tools_call_keeps_its_effect();
"""


class Migration(migrations.Migration):
    dependencies = [("tools", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
