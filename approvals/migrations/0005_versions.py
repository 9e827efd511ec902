import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Above ten times the line of one approver two people sign, and above 25 times nobody does here: as a new shop begins.
LINES = """
UPDATE approvals_limitversion
   SET two_people_above_minor = one_approver_up_to_minor * 10, two_factor_up_to_minor = one_approver_up_to_minor * 25;
SET CONSTRAINTS ALL IMMEDIATE;
"""

DROP_OLD = """
DROP TRIGGER limits_change_by_version ON approvals_limitversion;
DROP FUNCTION approvals_limits_change_by_version();
"""

OLD = """
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
"""

# Whatever columns a table of versions gets, all but who published it and from when stay as they were written.
TRIGGERS = """
CREATE FUNCTION approvals_version_is_never_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL OR
       to_jsonb(NEW) - ARRAY['published_by_id', 'published_at', 'effective_at']
       IS DISTINCT FROM
       to_jsonb(OLD) - ARRAY['published_by_id', 'published_at', 'effective_at'] THEN
        RAISE EXCEPTION 'Versions are never edited: write a new one.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER limits_change_by_version BEFORE UPDATE ON approvals_limitversion
    FOR EACH ROW EXECUTE FUNCTION approvals_version_is_never_edited();
CREATE TRIGGER caps_change_by_version BEFORE UPDATE ON approvals_capsversion
    FOR EACH ROW EXECUTE FUNCTION approvals_version_is_never_edited();
CREATE TRIGGER caps_are_never_deleted BEFORE DELETE ON approvals_capsversion
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
CREATE TRIGGER rate_is_append_only BEFORE UPDATE OR DELETE ON approvals_exchangerate
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();

CREATE FUNCTION approvals_exception_keeps_what_it_lifts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR
       (OLD.approved_at IS NOT NULL AND
        (NEW.approved_at, NEW.approved_by_id) IS DISTINCT FROM (OLD.approved_at, OLD.approved_by_id)) OR
       to_jsonb(NEW) - ARRAY['approved_by_id', 'approved_at', 'ended_by_id', 'ended_at']
       IS DISTINCT FROM
       to_jsonb(OLD) - ARRAY['approved_by_id', 'approved_at', 'ended_by_id', 'ended_at'] THEN
        RAISE EXCEPTION 'An exception is never edited: end it, and ask for another.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exception_keeps_what_it_lifts BEFORE UPDATE ON approvals_limitexception
    FOR EACH ROW EXECUTE FUNCTION approvals_exception_keeps_what_it_lifts();
CREATE TRIGGER exception_is_never_deleted BEFORE DELETE ON approvals_limitexception
    FOR EACH ROW EXECUTE FUNCTION approvals_row_is_append_only();
"""

NO_TRIGGERS = """
DROP TRIGGER exception_is_never_deleted ON approvals_limitexception;
DROP TRIGGER exception_keeps_what_it_lifts ON approvals_limitexception;
DROP FUNCTION approvals_exception_keeps_what_it_lifts();
DROP TRIGGER rate_is_append_only ON approvals_exchangerate;
DROP TRIGGER caps_are_never_deleted ON approvals_capsversion;
DROP TRIGGER caps_change_by_version ON approvals_capsversion;
DROP TRIGGER limits_change_by_version ON approvals_limitversion;
DROP FUNCTION approvals_version_is_never_edited();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0004_judged_under"),
        ("cases", "0018_same_people_and_addresses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(DROP_OLD, OLD),
        migrations.CreateModel(
            name="CapsVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("published_at", models.DateTimeField(null=True, verbose_name="published")),
                ("effective_at", models.DateTimeField(null=True, verbose_name="effective")),
                (
                    "currency",
                    models.CharField(
                        help_text="Caps in another currency than the shop's hold no more.",
                        max_length=3,
                        verbose_name="base currency",
                    ),
                ),
                ("order_cap_minor", models.BigIntegerField(verbose_name="for one order")),
                ("customer_cap_minor", models.BigIntegerField(verbose_name="for one customer in 30 days")),
                (
                    "instrument_cap_minor",
                    models.BigIntegerField(verbose_name="to one payment method in 30 days"),
                ),
                ("address_cap_minor", models.BigIntegerField(verbose_name="to one address in 30 days")),
                ("day_cap_minor", models.BigIntegerField(verbose_name="for the whole shop in 24 hours")),
                (
                    "budgets",
                    models.JSONField(default=dict, verbose_name="automatic money in 24 hours by planner"),
                ),
                ("sizes", models.JSONField(default=dict, verbose_name="at most, by unit")),
                (
                    "undo_seconds",
                    models.PositiveIntegerField(
                        default=600,
                        help_text="An automatic refund waits this long.",
                        verbose_name="undo window (seconds)",
                    ),
                ),
                (
                    "one_approver_hours",
                    models.PositiveSmallIntegerField(
                        default=24, verbose_name="a mid-size request waits (hours on duty)"
                    ),
                ),
                (
                    "large_hours",
                    models.PositiveSmallIntegerField(
                        default=4, verbose_name="a large request waits (hours on duty)"
                    ),
                ),
                (
                    "renewals",
                    models.PositiveSmallIntegerField(
                        default=2, verbose_name="a request is asked again (times)"
                    ),
                ),
                (
                    "rate_max_age_hours",
                    models.PositiveSmallIntegerField(default=72, verbose_name="oldest exchange rate (hours)"),
                ),
                (
                    "risk_pending_hours",
                    models.PositiveSmallIntegerField(
                        default=24, verbose_name="a risk reading may be pending (hours)"
                    ),
                ),
            ],
            options={
                "verbose_name": "caps",
                "verbose_name_plural": "caps",
                "ordering": ["shop", "currency", "-version"],
                "permissions": [("publish_capsversion", "Can publish caps that somebody else wrote")],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("base", models.CharField(max_length=3, verbose_name="one")),
                ("quote", models.CharField(max_length=3, verbose_name="is so many")),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20, verbose_name="rate")),
                ("as_of", models.DateField(verbose_name="of")),
                ("source", models.CharField(max_length=80, verbose_name="source")),
                ("read_at", models.DateTimeField(verbose_name="read")),
            ],
            options={
                "verbose_name": "exchange rate",
                "verbose_name_plural": "exchange rates",
                "ordering": ["-as_of", "base", "quote", "-id"],
            },
        ),
        migrations.CreateModel(
            name="LimitException",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("order", "one order"),
                            ("customer", "one customer"),
                            ("instrument", "one payment method"),
                            ("address", "one address"),
                        ],
                        max_length=12,
                        verbose_name="for",
                    ),
                ),
                ("subject", models.CharField(max_length=120, verbose_name="which")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("up_to_minor", models.BigIntegerField(verbose_name="up to")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("created_at", models.DateTimeField(verbose_name="asked for")),
                ("expires_at", models.DateTimeField(verbose_name="ends")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="approved")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended early")),
            ],
            options={
                "verbose_name": "exception",
                "verbose_name_plural": "exceptions",
                "ordering": ["-id"],
                "permissions": [
                    ("approve_limitexception", "Can approve an exception that somebody else asked for")
                ],
            },
        ),
        migrations.CreateModel(
            name="RateReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=80, verbose_name="source")),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("as_of", models.DateField(null=True, verbose_name="rates of")),
                ("error", models.CharField(blank=True, max_length=80, verbose_name="error")),
            ],
            options={
                "verbose_name": "reading of rates",
                "verbose_name_plural": "readings of rates",
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="limitversion",
            name="limits_rise_from_tier_to_tier",
        ),
        migrations.RemoveConstraint(
            model_name="limitversion",
            name="published_limits_say_from_when",
        ),
        migrations.AddField(
            model_name="limitversion",
            name="restores",
            field=models.ForeignKey(
                help_text="The version whose numbers these are.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.limitversion",
                verbose_name="brings back",
            ),
        ),
        migrations.AddField(
            model_name="limitversion",
            name="two_factor_up_to_minor",
            field=models.BigIntegerField(
                default=0,
                help_text="Above it nobody approves here: people act outside the agent.",
                verbose_name="second factor up to",
            ),
        ),
        migrations.AddField(
            model_name="limitversion",
            name="two_people_above_minor",
            field=models.BigIntegerField(
                help_text="Empty: one person signs a large one too.",
                null=True,
                verbose_name="two people above",
            ),
        ),
        migrations.AddField(
            model_name="limitversion",
            name="unsure_below_percent",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="What the planner is less sure of than this doesn't run by itself.",
                verbose_name="a person below this confidence (percent)",
            ),
        ),
        migrations.RunSQL(LINES, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="limitversion",
            name="two_factor_up_to_minor",
            field=models.BigIntegerField(
                help_text="Above it nobody approves here: people act outside the agent.",
                verbose_name="second factor up to",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitversion",
            constraint=models.CheckConstraint(
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
                name="published_limits_say_from_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author__isnull", True),
                    ("published_at__isnull", True),
                    ("published_by__isnull", False),
                    _connector="OR",
                ),
                name="limits_of_people_are_published_by_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("auto_up_to_minor__gte", 0),
                    ("one_approver_up_to_minor__gte", models.F("auto_up_to_minor")),
                    ("two_factor_up_to_minor__gte", models.F("one_approver_up_to_minor")),
                ),
                name="limits_rise_from_tier_to_tier",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("two_people_above_minor__isnull", True),
                    models.Q(
                        ("two_people_above_minor__gte", models.F("one_approver_up_to_minor")),
                        ("two_people_above_minor__lte", models.F("two_factor_up_to_minor")),
                    ),
                    _connector="OR",
                ),
                name="second_line_lies_between_one_approver_and_the_last",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("unsure_below_percent__lte", 100)), name="confidence_is_a_percentage"
            ),
        ),
        migrations.AddField(
            model_name="capsversion",
            name="author",
            field=models.ForeignKey(
                help_text="Empty for the conservative defaults that a new shop starts with.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="author",
            ),
        ),
        migrations.AddField(
            model_name="capsversion",
            name="published_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="published by",
            ),
        ),
        migrations.AddField(
            model_name="capsversion",
            name="restores",
            field=models.ForeignKey(
                help_text="The version whose numbers these are.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.capsversion",
                verbose_name="brings back",
            ),
        ),
        migrations.AddField(
            model_name="capsversion",
            name="shop",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="caps",
                to="cases.shop",
                verbose_name="shop",
            ),
        ),
        migrations.AddIndex(
            model_name="exchangerate",
            index=models.Index(fields=["base", "quote", "-as_of", "-id"], name="rate_by_pair"),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="rate_is_above_zero"),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("base", models.F("quote")), _negated=True),
                name="rate_is_between_two_currencies",
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.UniqueConstraint(
                fields=("base", "quote", "as_of", "source", "rate"), name="rate_is_kept_once"
            ),
        ),
        migrations.AddField(
            model_name="limitexception",
            name="approved_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approved by",
            ),
        ),
        migrations.AddField(
            model_name="limitexception",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="asked for by",
            ),
        ),
        migrations.AddField(
            model_name="limitexception",
            name="ended_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="ended by",
            ),
        ),
        migrations.AddField(
            model_name="limitexception",
            name="shop",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="exceptions",
                to="cases.shop",
                verbose_name="shop",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratereading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("as_of__isnull", True), ("ended_at__isnull", True), ("error", "")),
                    models.Q(("as_of__isnull", False), ("ended_at__isnull", False), ("error", "")),
                    models.Q(
                        ("as_of__isnull", True),
                        ("ended_at__isnull", False),
                        models.Q(("error", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="ended_reading_says_what_it_found",
            ),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.UniqueConstraint(
                fields=("shop", "currency", "version"), name="caps_version_is_written_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.CheckConstraint(
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
                name="published_caps_say_from_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_by__isnull", True),
                    ("author__isnull", True),
                    models.Q(("author", models.F("published_by")), _negated=True),
                    _connector="OR",
                ),
                name="caps_author_does_not_publish",
            ),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author__isnull", True),
                    ("published_at__isnull", True),
                    ("published_by__isnull", False),
                    _connector="OR",
                ),
                name="caps_of_people_are_published_by_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("order_cap_minor__gte", 0),
                    ("customer_cap_minor__gte", 0),
                    ("instrument_cap_minor__gte", 0),
                    ("address_cap_minor__gte", 0),
                    ("day_cap_minor__gte", 0),
                ),
                name="caps_are_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("one_approver_hours__gte", 1),
                    ("large_hours__gte", 1),
                    ("rate_max_age_hours__gte", 1),
                    ("risk_pending_hours__gte", 1),
                ),
                name="caps_leave_an_hour_at_least",
            ),
        ),
        migrations.AddIndex(
            model_name="limitexception",
            index=models.Index(
                condition=models.Q(("approved_at__isnull", False), ("ended_at__isnull", True)),
                fields=["shop", "expires_at"],
                name="exception_by_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                    models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="approved_exception_names_who",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(("author", models.F("approved_by")), _negated=True),
                    _connector="OR",
                ),
                name="exception_author_does_not_approve",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                    models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                    _connector="OR",
                ),
                name="ended_exception_names_who",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitexception",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                name="exception_ends_after_it_began",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("up_to_minor__gt", 0),
                    models.Q(("subject", ""), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                ),
                name="exception_says_what_and_why",
            ),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
