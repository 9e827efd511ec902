import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import approvals.terms

# What held before this holds on, as the defaults that no person wrote.
IN_FORCE = """
UPDATE approvals_termsversion
   SET published_at = created_at, effective_at = created_at, wrong_item_days = damage_days, goodwill_days = damage_days;
SET CONSTRAINTS ALL IMMEDIATE;
"""

OLD = """
CREATE TRIGGER terms_are_append_only BEFORE UPDATE OR DELETE ON approvals_termsversion
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
"""

TRIGGERS = """
CREATE TRIGGER terms_change_by_version BEFORE UPDATE ON approvals_termsversion
    FOR EACH ROW EXECUTE FUNCTION approvals_version_is_never_edited();
CREATE TRIGGER terms_are_never_deleted BEFORE DELETE ON approvals_termsversion
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
"""

NO_TRIGGERS = """
DROP TRIGGER terms_change_by_version ON approvals_termsversion;
DROP TRIGGER terms_are_never_deleted ON approvals_termsversion;
"""


def user(name):
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name=name,
    )


def days(name, default):
    return models.PositiveSmallIntegerField(name, default=default)


def choice(name, default, choices):
    return models.CharField(name, max_length=12, choices=choices, default=default)


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0006_signatures_and_duty"),
        ("cases", "0019_undo_window_in_caps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("DROP TRIGGER terms_are_append_only ON approvals_termsversion;", OLD),
        migrations.AlterModelOptions(
            name="termsversion",
            options={
                "ordering": ["shop", "-version"],
                "permissions": [("publish_termsversion", "Can publish terms that somebody else wrote")],
                "verbose_name": "terms",
                "verbose_name_plural": "terms",
            },
        ),
        migrations.AlterField(
            "termsversion", "return_days", days("change of mind: return within (days)", 30)
        ),
        migrations.AlterField("termsversion", "damage_days", days("damaged: report within (days)", 14)),
        migrations.AlterField("termsversion", "missing_days", days("missing: report within (days)", 14)),
        migrations.AddField("termsversion", "wrong_item_days", days("wrong item: report within (days)", 14)),
        migrations.AddField(
            "termsversion",
            "goodwill_days",
            models.PositiveSmallIntegerField(
                "goodwill within (days)", default=14, null=True, help_text="Empty: none is given by rule."
            ),
        ),
        migrations.AddField(
            "termsversion",
            "withdrawal",
            models.JSONField(
                "right of withdrawal",
                default=approvals.terms.withdrawal_by_law,
                help_text=(
                    "Days and countries, a line for each period: 14: EU, GB. It begins with the last parcel."
                ),
            ),
        ),
        migrations.AddField(
            "termsversion",
            "final_sale",
            models.JSONField(
                "final sale (SKUs)",
                default=list,
                help_text="SKUs or patterns as SALE-*, one a line. A right of withdrawal holds all the same.",
            ),
        ),
        migrations.AddField(
            "termsversion",
            "hygiene",
            models.JSONField(
                "sealed for hygiene (SKUs)",
                default=list,
                help_text=(
                    "SKUs or patterns, one a line. A person looks at the seal before the money goes back."
                ),
            ),
        ),
        migrations.AddField(
            "termsversion",
            "refund_on",
            choice(
                "money of a return goes back",
                "receipt",
                [
                    ("scan", "once the carrier has it"),
                    ("receipt", "once it is received"),
                    ("inspection", "once it is inspected"),
                ],
            ),
        ),
        migrations.AddField(
            "termsversion",
            "return_shipping",
            choice(
                "sending back is paid by", "customer", [("customer", "the customer"), ("shop", "the shop")]
            ),
        ),
        migrations.AddField(
            "termsversion",
            "outward_shipping",
            choice(
                "delivery of a whole order sent back by choice",
                "kept",
                [("kept", "the shop keeps it"), ("refunded", "it goes back too")],
            ),
        ),
        migrations.AddField(
            "termsversion",
            "standard_shipping",
            models.JSONField(
                "standard delivery costs",
                default=dict,
                help_text="So much of the delivery goes back with a withdrawal. Empty: a person decides.",
            ),
        ),
        migrations.AddField(
            "termsversion",
            "photo_above",
            models.JSONField(
                "photo of damaged or wrong goods above",
                default=dict,
                help_text=(
                    "Empty: none is asked for. A person looks at each photo before the money goes back."
                ),
            ),
        ),
        migrations.AddField(
            "termsversion",
            "reason",
            models.CharField("reason", max_length=500, default="Defaults of a new shop"),
            preserve_default=False,
        ),
        migrations.AddField(
            "termsversion",
            "author",
            models.ForeignKey(
                help_text="Empty for the conservative defaults that a new shop starts with.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="author",
            ),
        ),
        migrations.AddField("termsversion", "published_by", user("published by")),
        migrations.AddField("termsversion", "published_at", models.DateTimeField("published", null=True)),
        migrations.AddField("termsversion", "effective_at", models.DateTimeField("effective", null=True)),
        migrations.AddField(
            "termsversion",
            "restores",
            models.ForeignKey(
                help_text="The version whose numbers these are.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.termsversion",
                verbose_name="brings back",
            ),
        ),
        migrations.RunSQL(IN_FORCE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("effective_at__isnull", True),
                        ("published_at__isnull", True),
                        ("published_by__isnull", True),
                    ),
                    models.Q(
                        ("effective_at__gte", models.F("published_at")),
                        ("effective_at__isnull", False),
                        ("published_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="published_terms_say_from_when",
            ),
        ),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=models.Q(
                    ("published_by__isnull", True),
                    ("author__isnull", True),
                    models.Q(("author", models.F("published_by")), _negated=True),
                    _connector="OR",
                ),
                name="terms_author_does_not_publish",
            ),
        ),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=models.Q(
                    ("author__isnull", True),
                    ("published_at__isnull", True),
                    ("published_by__isnull", False),
                    _connector="OR",
                ),
                name="terms_of_people_are_published_by_people",
            ),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.AddField(
            "decision",
            "terms",
            models.ForeignKey(
                help_text=("The version that the rule which entitles stands in; empty where none was asked."),
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.termsversion",
                verbose_name="terms",
            ),
        ),
        migrations.AlterField(
            "decision",
            "judged_under",
            models.JSONField(
                "judged under",
                default=dict,
                help_text=(
                    "Every number of the limits in force, how sure the planner said it was, and what the terms say."
                ),
            ),
        ),
    ]
