import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A version is published or withdrawn, once; all else of it stays as it was written.
NEW = """
CREATE OR REPLACE FUNCTION approvals_version_is_never_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL OR
       to_jsonb(NEW) - ARRAY['published_by_id', 'published_at', 'effective_at', 'withdrawn_by_id', 'withdrawn_at',
             'withdrawn_reason']
       IS DISTINCT FROM
       to_jsonb(OLD) - ARRAY['published_by_id', 'published_at', 'effective_at', 'withdrawn_by_id', 'withdrawn_at',
             'withdrawn_reason'] THEN
        RAISE EXCEPTION 'Versions are never edited: write a new one.';
    END IF;
    RETURN NEW;
END $$;
"""

OLD = """
CREATE OR REPLACE FUNCTION approvals_version_is_never_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL OR
       to_jsonb(NEW) - ARRAY['published_by_id', 'published_at', 'effective_at']
       IS DISTINCT FROM
       to_jsonb(OLD) - ARRAY['published_by_id', 'published_at', 'effective_at'] THEN
        RAISE EXCEPTION 'Versions are never edited: write a new one.';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0011_goods_by_sku_alone"),
        ("cases", "0021_passwords_that_were_tried"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="capsversion",
            name="withdrawn_at",
            field=models.DateTimeField(null=True, verbose_name="withdrawn"),
        ),
        migrations.AddField(
            model_name="capsversion",
            name="withdrawn_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="withdrawn or declined by",
            ),
        ),
        migrations.AddField(
            model_name="capsversion",
            name="withdrawn_reason",
            field=models.CharField(blank=True, max_length=500, verbose_name="why it was withdrawn"),
        ),
        migrations.AddField(
            model_name="limitversion",
            name="withdrawn_at",
            field=models.DateTimeField(null=True, verbose_name="withdrawn"),
        ),
        migrations.AddField(
            model_name="limitversion",
            name="withdrawn_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="withdrawn or declined by",
            ),
        ),
        migrations.AddField(
            model_name="limitversion",
            name="withdrawn_reason",
            field=models.CharField(blank=True, max_length=500, verbose_name="why it was withdrawn"),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="withdrawn_at",
            field=models.DateTimeField(null=True, verbose_name="withdrawn"),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="withdrawn_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="withdrawn or declined by",
            ),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="withdrawn_reason",
            field=models.CharField(blank=True, max_length=500, verbose_name="why it was withdrawn"),
        ),
        migrations.AddConstraint(
            model_name="capsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("withdrawn_at__isnull", True),
                        ("withdrawn_by__isnull", True),
                        ("withdrawn_reason", ""),
                    ),
                    models.Q(
                        ("published_at__isnull", True),
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_by__isnull", False),
                        models.Q(("withdrawn_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="withdrawn_caps_name_who_and_why_and_never_hold",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("withdrawn_at__isnull", True),
                        ("withdrawn_by__isnull", True),
                        ("withdrawn_reason", ""),
                    ),
                    models.Q(
                        ("published_at__isnull", True),
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_by__isnull", False),
                        models.Q(("withdrawn_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="withdrawn_limits_name_who_and_why_and_never_hold",
            ),
        ),
        migrations.AddConstraint(
            model_name="termsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("withdrawn_at__isnull", True),
                        ("withdrawn_by__isnull", True),
                        ("withdrawn_reason", ""),
                    ),
                    models.Q(
                        ("published_at__isnull", True),
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_by__isnull", False),
                        models.Q(("withdrawn_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="withdrawn_terms_name_who_and_why_and_never_hold",
            ),
        ),
        migrations.RunSQL(NEW, OLD),
    ]
