from django.db import migrations, models
from django.db.models import F, Q

# So far one sum held ours and what others gave back: ours is what living calls say, and all else was elsewhere.
LINES_APART = """
WITH ours AS (
    SELECT (part ->> 'line')::bigint AS line, sum((part ->> 'quantity')::bigint) AS pieces,
           sum((part ->> 'amount_minor')::bigint) AS minor,
           sum(coalesce((part ->> 'duties_minor')::bigint, 0)) AS duties
    FROM tools_toolcall c, jsonb_array_elements(c.request::jsonb -> 'lines') AS part
    WHERE c.payment_id IS NOT NULL AND c.state IN ('reserved', 'sending', 'unknown', 'pending', 'succeeded')
    GROUP BY 1
)
UPDATE tools_orderline l SET
    elsewhere_quantity = l.refunded_quantity - least(l.refunded_quantity, coalesce(o.pieces, 0)),
    refunded_quantity = least(l.refunded_quantity, coalesce(o.pieces, 0)),
    elsewhere_minor = l.refunded_minor - least(l.refunded_minor, coalesce(o.minor, 0)),
    refunded_minor = least(l.refunded_minor, coalesce(o.minor, 0)),
    duties_elsewhere_minor = l.duties_refunded_minor - least(l.duties_refunded_minor, coalesce(o.duties, 0)),
    duties_refunded_minor = least(l.duties_refunded_minor, coalesce(o.duties, 0))
FROM tools_orderline x LEFT JOIN ours o ON o.line = x.id
WHERE x.id = l.id AND (l.refunded_quantity > 0 OR l.refunded_minor > 0 OR l.duties_refunded_minor > 0)
"""
SHIPPING_APART = """
WITH ours AS (
    SELECT (c.request::jsonb ->> 'order')::bigint AS id,
           sum((c.request::jsonb ->> 'shipping_minor')::bigint) AS minor
    FROM tools_toolcall c
    WHERE c.payment_id IS NOT NULL AND c.state IN ('reserved', 'sending', 'unknown', 'pending', 'succeeded')
    GROUP BY 1
)
UPDATE tools_order o SET
    shipping_elsewhere_minor = o.shipping_refunded_minor - least(o.shipping_refunded_minor, coalesce(u.minor, 0)),
    shipping_refunded_minor = least(o.shipping_refunded_minor, coalesce(u.minor, 0))
FROM tools_order x LEFT JOIN ours u ON u.id = x.id
WHERE x.id = o.id AND o.shipping_refunded_minor > 0
"""

# What others have done stands as it was told; ours may never grow beyond what that leaves. Asked after the checks, so
# that whatever breaks one of those is told by its name.
GUARD = """
CREATE FUNCTION tools_line_gives_back_what_is_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.refunded_quantity > OLD.refunded_quantity
       AND NEW.refunded_quantity + NEW.elsewhere_quantity + NEW.removed_quantity > NEW.quantity
    OR NEW.refunded_minor > OLD.refunded_minor
       AND NEW.refunded_minor + NEW.elsewhere_minor > NEW.total_minor
    OR NEW.duties_refunded_minor > OLD.duties_refunded_minor
       AND NEW.duties_refunded_minor + NEW.duties_elsewhere_minor > NEW.duties_minor THEN
        RAISE EXCEPTION 'line_refunds_no_more_than_is_left: line %', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'line_refunds_no_more_than_is_left';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER line_refunds_no_more_than_is_left
    AFTER UPDATE OF refunded_quantity, refunded_minor, duties_refunded_minor ON tools_orderline
    FOR EACH ROW EXECUTE FUNCTION tools_line_gives_back_what_is_left();

CREATE FUNCTION tools_order_gives_back_what_is_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.shipping_refunded_minor > OLD.shipping_refunded_minor
       AND NEW.shipping_refunded_minor + NEW.shipping_elsewhere_minor > NEW.shipping_minor THEN
        RAISE EXCEPTION 'order_refunds_no_more_shipping_than_is_left: order %', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_refunds_no_more_shipping_than_is_left';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER order_refunds_no_more_shipping_than_is_left
    AFTER UPDATE OF shipping_refunded_minor ON tools_order
    FOR EACH ROW EXECUTE FUNCTION tools_order_gives_back_what_is_left();
"""
NO_GUARD = """
DROP TRIGGER line_refunds_no_more_than_is_left ON tools_orderline;
DROP FUNCTION tools_line_gives_back_what_is_left();
DROP TRIGGER order_refunds_no_more_shipping_than_is_left ON tools_order;
DROP FUNCTION tools_order_gives_back_what_is_left();
"""


class Migration(migrations.Migration):
    dependencies = [("tools", "0025_what_a_return_holds")]

    operations = [
        migrations.AddField(
            model_name="ledgerentry",
            name="unnamed_minor",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="What of a refund elsewhere goes beyond the pieces and the shipping that it names.",
                verbose_name="for nobody knows what",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="shipping_elsewhere_minor",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="shipping refunded elsewhere"),
        ),
        migrations.AddField(
            model_name="orderline",
            name="elsewhere_quantity",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="By hand, in either dashboard.",
                verbose_name="quantity refunded elsewhere",
            ),
        ),
        migrations.AddField(
            model_name="orderline",
            name="elsewhere_minor",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="What those pieces cost.",
                verbose_name="price of what was refunded elsewhere",
            ),
        ),
        migrations.AddField(
            model_name="orderline",
            name="duties_elsewhere_minor",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="duties refunded elsewhere"),
        ),
        migrations.AlterField(
            model_name="orderline",
            name="refunded_quantity",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Ours alone, reservations included.",
                verbose_name="quantity refunded or reserved",
            ),
        ),
        migrations.RunSQL(LINES_APART, migrations.RunSQL.noop),
        migrations.RunSQL(SHIPPING_APART, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="orderline", name="line_refunds_no_more_than_bought"),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=Q(quantity__gte=F("refunded_quantity")) & Q(quantity__gte=F("removed_quantity")),
                name="line_refunds_no_more_than_bought",
            ),
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
