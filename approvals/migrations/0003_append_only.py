from django.db import migrations

FORWARD = """
CREATE FUNCTION approvals_row_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A row of % is never changed or deleted.', TG_TABLE_NAME;
END $$;
CREATE TRIGGER decision_is_append_only BEFORE UPDATE OR DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
CREATE TRIGGER reversal_is_append_only BEFORE UPDATE OR DELETE ON approvals_reversal
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
CREATE TRIGGER terms_are_append_only BEFORE UPDATE OR DELETE ON approvals_termsversion
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
CREATE TRIGGER flag_is_never_deleted BEFORE DELETE ON approvals_riskflag
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
CREATE TRIGGER approval_is_never_deleted BEFORE DELETE ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
CREATE TRIGGER limits_are_never_deleted BEFORE DELETE ON approvals_limitversion
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();

CREATE FUNCTION approvals_limits_change_by_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL OR
       (NEW.shop_id, NEW.currency, NEW.version, NEW.auto_up_to_minor, NEW.one_approver_up_to_minor,
        NEW.goodwill_percent, NEW.reason, NEW.created_at)
       IS DISTINCT FROM
       (OLD.shop_id, OLD.currency, OLD.version, OLD.auto_up_to_minor, OLD.one_approver_up_to_minor,
        OLD.goodwill_percent, OLD.reason, OLD.created_at)
       OR NEW.author_id IS DISTINCT FROM OLD.author_id THEN
        RAISE EXCEPTION 'Limits are never edited: write a new version.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER limits_change_by_version BEFORE UPDATE ON approvals_limitversion
    FOR EACH ROW EXECUTE FUNCTION approvals_limits_change_by_version();

CREATE FUNCTION approvals_request_keeps_what_is_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'pending' OR
       (NEW.decision_id, NEW.case_id, NEW.shop_id, NEW.tier, NEW.effect_hash, NEW.amount_minor, NEW.currency)
       IS DISTINCT FROM
       (OLD.decision_id, OLD.case_id, OLD.shop_id, OLD.tier, OLD.effect_hash, OLD.amount_minor, OLD.currency) THEN
        RAISE EXCEPTION 'An approval request is decided once, and what it asks for never changes.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER request_keeps_what_is_signed BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_request_keeps_what_is_signed();
"""

REVERSE = """
DROP TRIGGER decision_is_append_only ON approvals_decision;
DROP TRIGGER reversal_is_append_only ON approvals_reversal;
DROP TRIGGER terms_are_append_only ON approvals_termsversion;
DROP TRIGGER flag_is_never_deleted ON approvals_riskflag;
DROP TRIGGER approval_is_never_deleted ON approvals_approvalrequest;
DROP TRIGGER limits_are_never_deleted ON approvals_limitversion;
DROP TRIGGER limits_change_by_version ON approvals_limitversion;
DROP TRIGGER request_keeps_what_is_signed ON approvals_approvalrequest;
DROP FUNCTION approvals_row_is_append_only();
DROP FUNCTION approvals_limits_change_by_version();
DROP FUNCTION approvals_request_keeps_what_is_signed();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_initial")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
