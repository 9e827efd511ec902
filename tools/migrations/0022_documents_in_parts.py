import django.db.models.deletion
from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION tools_credit_note_comes_next() RETURNS trigger LANGUAGE plpgsql AS $$
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
    END IF;{more}
    RETURN NEW;
END $$;
"""
REPLACED = """
    IF NEW.replaces_id IS NOT NULL THEN
        SELECT * INTO corrected FROM tools_creditnote WHERE id = NEW.replaces_id;
        IF NOT EXISTS (SELECT 1 FROM tools_creditnote WHERE corrects_id = NEW.replaces_id)
           OR (corrected.entity_id, corrected.shop_id, corrected.order_id, corrected.decision_id, corrected.currency)
              IS DISTINCT FROM (NEW.entity_id, NEW.shop_id, NEW.order_id, NEW.decision_id, NEW.currency)
           OR NEW.gross_minor >= corrected.gross_minor THEN
            RAISE EXCEPTION 'A credit note replaces a larger one of the same refund, which was taken back before.';
        END IF;
    END IF;"""


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0003_append_only"),
        ("cases", "0015_indexes_that_others_begin_with"),
        ("tools", "0021_payment_by_hand"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="creditnote",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("correct_creditnote", "Can issue the counter-document of a credit note"),
                    ("issue_creditnote", "Can issue the credit note of a refund whose step was stopped"),
                ],
                "verbose_name": "credit note",
                "verbose_name_plural": "credit notes",
            },
        ),
        migrations.RemoveConstraint(
            model_name="creditnote",
            name="credit_note_is_of_a_call_or_corrects_one",
        ),
        migrations.AddField(
            model_name="creditnote",
            name="replaces",
            field=models.OneToOneField(
                help_text="The document that was taken back, since only a part of its refund arrived.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="tools.creditnote",
                verbose_name="replaces",
            ),
        ),
        migrations.AddField(
            model_name="invoicepayment",
            name="issued_at",
            field=models.DateTimeField(null=True, verbose_name="issued"),
        ),
        migrations.AddField(
            model_name="invoicepayment",
            name="number",
            field=models.CharField(
                blank=True,
                help_text="Printed on it; unknown until a document names it.",
                max_length=64,
                verbose_name="number",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="bill_to",
            field=models.OneToOneField(
                help_text="As the shop told it last; kept encrypted.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="order",
                to="cases.personaltext",
                verbose_name="bill goes to",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("call__isnull", False),
                        ("corrects__isnull", True),
                        ("gross_minor__gt", 0),
                        ("replaces__isnull", True),
                    ),
                    models.Q(
                        ("call__isnull", True),
                        ("corrects__isnull", False),
                        ("gross_minor__lt", 0),
                        ("replaces__isnull", True),
                    ),
                    models.Q(
                        ("call__isnull", True),
                        ("corrects__isnull", True),
                        ("gross_minor__gt", 0),
                        ("replaces__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="credit_note_is_of_a_call_or_corrects_or_replaces_one",
            ),
        ),
        migrations.RunSQL(FUNCTION.replace("{more}", REPLACED), FUNCTION.replace("{more}", "")),
    ]
