"""The chain and its guards; sha256() is built in, so no extension is needed."""

from django.db import migrations

CHAIN = """
CREATE FUNCTION audit_chain_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The upsert locks the stream's head until commit, so that inserts queue here instead of
    -- computing from one "last row" and colliding. Two steps, since the new hash needs the old one.
    INSERT INTO audit_streamhead AS head (stream, seq, hash)
    VALUES (NEW.stream, 1, repeat('0', 64))
    ON CONFLICT (stream) DO UPDATE SET seq = head.seq + 1
    RETURNING head.seq, head.hash INTO NEW.seq, NEW.prev_hash;

    NEW.hash := encode(sha256(convert_to(
        NEW.prev_hash || ':' || NEW.stream || ':' || NEW.seq || ':' || NEW.body, 'UTF8')), 'hex');

    UPDATE audit_streamhead SET hash = NEW.hash WHERE stream = NEW.stream;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_entry_is_chained BEFORE INSERT ON audit_entry
FOR EACH ROW EXECUTE FUNCTION audit_chain_entry();
"""

CHAIN_BACK = """
DROP TRIGGER audit_entry_is_chained ON audit_entry;
DROP FUNCTION audit_chain_entry();
"""

# The head's guard compares the depth in WHEN, so that the chain's own updates never call a function.
GUARDS = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_entry_is_never_changed BEFORE UPDATE OR DELETE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();

CREATE TRIGGER audit_streamhead_moves_with_its_stream BEFORE INSERT OR UPDATE OR DELETE ON audit_streamhead
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION audit_refuse_change();
"""

GUARDS_BACK = """
DROP TRIGGER audit_streamhead_moves_with_its_stream ON audit_streamhead;
DROP TRIGGER audit_entry_is_never_changed ON audit_entry;
DROP FUNCTION audit_refuse_change();
"""

# Apart from the others, because the test database drops these two: Django's flush truncates.
NEVER_TRUNCATED = """
CREATE TRIGGER audit_entry_is_never_truncated BEFORE TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

CREATE TRIGGER audit_streamhead_is_never_truncated BEFORE TRUNCATE ON audit_streamhead
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""

NEVER_TRUNCATED_BACK = """
DROP TRIGGER IF EXISTS audit_streamhead_is_never_truncated ON audit_streamhead;
DROP TRIGGER IF EXISTS audit_entry_is_never_truncated ON audit_entry;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(CHAIN, CHAIN_BACK),
        migrations.RunSQL(GUARDS, GUARDS_BACK),
        migrations.RunSQL(NEVER_TRUNCATED, NEVER_TRUNCATED_BACK),
    ]
