from django.db import migrations

FORWARD = """
CREATE FUNCTION tools_credit_note_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A credit note is never changed or deleted: issue a counter-document.';
END $$;
CREATE TRIGGER credit_note_is_append_only BEFORE UPDATE OR DELETE ON tools_creditnote
    FOR EACH ROW EXECUTE FUNCTION tools_credit_note_is_append_only();

CREATE FUNCTION tools_credit_note_comes_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    corrected tools_creditnote%ROWTYPE;
BEGIN
    IF NEW.sequence <> 1 + COALESCE(
        (SELECT max(sequence) FROM tools_creditnote WHERE entity_id = NEW.entity_id), 0) THEN
        RAISE EXCEPTION 'A credit note takes the next number of its legal entity, and no other.';
    END IF;
    IF NEW.corrects_id IS NOT NULL THEN
        SELECT * INTO corrected FROM tools_creditnote WHERE id = NEW.corrects_id;
        IF corrected.corrects_id IS NOT NULL
           OR (corrected.entity_id, corrected.shop_id, corrected.order_id, corrected.currency, -corrected.net_minor,
               -corrected.tax_minor)
              IS DISTINCT FROM
              (NEW.entity_id, NEW.shop_id, NEW.order_id, NEW.currency, NEW.net_minor, NEW.tax_minor) THEN
            RAISE EXCEPTION 'A counter-document takes back exactly what a credit note of the same entity said.';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credit_note_comes_next BEFORE INSERT ON tools_creditnote
    FOR EACH ROW EXECUTE FUNCTION tools_credit_note_comes_next();

CREATE FUNCTION tools_credit_note_counter_goes_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.entity_id <> OLD.entity_id OR NEW.last <> OLD.last + 1 THEN
        RAISE EXCEPTION 'The counter of credit notes goes up by one, and is never set.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credit_note_counter_goes_up BEFORE UPDATE OR DELETE ON tools_creditnotecounter
    FOR EACH ROW EXECUTE FUNCTION tools_credit_note_counter_goes_up();
"""

REVERSE = """
DROP TRIGGER credit_note_is_append_only ON tools_creditnote;
DROP FUNCTION tools_credit_note_is_append_only();
DROP TRIGGER credit_note_comes_next ON tools_creditnote;
DROP FUNCTION tools_credit_note_comes_next();
DROP TRIGGER credit_note_counter_goes_up ON tools_creditnotecounter;
DROP FUNCTION tools_credit_note_counter_goes_up();
"""


class Migration(migrations.Migration):
    dependencies = [("tools", "0018_credit_notes")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
