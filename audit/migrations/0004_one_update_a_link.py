"""The chain moves a stream's head once for each entry, where it moved it twice."""

from django.db import migrations

CHAIN = """
CREATE OR REPLACE FUNCTION audit_chain_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        -- The lock on the stream's head lasts until commit, so that inserts queue here instead of computing from
        -- one "last row" and colliding.
        SELECT head.seq + 1, head.hash INTO NEW.seq, NEW.prev_hash
        FROM audit_streamhead AS head WHERE head.stream = NEW.stream FOR NO KEY UPDATE;
        IF FOUND THEN
            NEW.hash := encode(sha256(convert_to(
                NEW.prev_hash || ':' || NEW.stream || ':' || NEW.seq || ':' || NEW.body, 'UTF8')), 'hex');
            UPDATE audit_streamhead SET seq = NEW.seq, hash = NEW.hash WHERE stream = NEW.stream;
            RETURN NEW;
        END IF;
        NEW.seq := 1;
        NEW.prev_hash := repeat('0', 64);
        NEW.hash := encode(sha256(convert_to(
            NEW.prev_hash || ':' || NEW.stream || ':' || NEW.seq || ':' || NEW.body, 'UTF8')), 'hex');
        INSERT INTO audit_streamhead (stream, seq, hash) VALUES (NEW.stream, 1, NEW.hash)
        ON CONFLICT (stream) DO NOTHING;
        IF FOUND THEN
            RETURN NEW;
        END IF;
        -- Somebody else began the stream meanwhile and has committed: theirs is the first link.
    END LOOP;
END
$$;
"""

CHAIN_BACK = """
CREATE OR REPLACE FUNCTION audit_chain_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_index_of_actions")]

    operations = [migrations.RunSQL(CHAIN, CHAIN_BACK)]
