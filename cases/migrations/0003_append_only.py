from django.db import migrations

FORWARD = """
CREATE FUNCTION cases_event_keeps_its_body() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An inbound event is never deleted.';
    END IF;
    IF (NEW.shop_id, NEW.source, NEW.account, NEW.external_id, NEW.raw, NEW.digest, NEW.received_at)
       IS DISTINCT FROM
       (OLD.shop_id, OLD.source, OLD.account, OLD.external_id, OLD.raw, OLD.digest, OLD.received_at) THEN
        RAISE EXCEPTION 'What arrived is never changed: another body of the same id is a conflict row.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER event_keeps_its_body BEFORE UPDATE OR DELETE ON cases_inboundevent
    FOR EACH ROW EXECUTE FUNCTION cases_event_keeps_its_body();

CREATE FUNCTION cases_row_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A row of % is never changed or deleted.', TG_TABLE_NAME;
END $$;
CREATE TRIGGER planner_config_is_append_only BEFORE UPDATE OR DELETE ON cases_plannerconfig
    FOR EACH ROW EXECUTE FUNCTION cases_row_is_append_only();

CREATE FUNCTION cases_template_changes_by_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR
       (NEW.key, NEW.language, NEW.version, NEW.subject, NEW.body, NEW.order_data)
       IS DISTINCT FROM
       (OLD.key, OLD.language, OLD.version, OLD.subject, OLD.body, OLD.order_data) THEN
        RAISE EXCEPTION 'A template is never edited: write a new version.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER template_changes_by_version BEFORE UPDATE OR DELETE ON cases_template
    FOR EACH ROW EXECUTE FUNCTION cases_template_changes_by_version();
"""

REVERSE = """
DROP TRIGGER event_keeps_its_body ON cases_inboundevent;
DROP TRIGGER planner_config_is_append_only ON cases_plannerconfig;
DROP TRIGGER template_changes_by_version ON cases_template;
DROP FUNCTION cases_event_keeps_its_body();
DROP FUNCTION cases_row_is_append_only();
DROP FUNCTION cases_template_changes_by_version();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_initial")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
