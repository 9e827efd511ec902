from django.db import migrations

from approvals.caps import defaults


def give(apps, schema_editor):
    """Shops that are open already begin with a new shop's caps, and keep the undo window that they had."""
    versions = apps.get_model("approvals", "CapsVersion").objects
    for shop in apps.get_model("cases", "Shop").objects.all():
        numbers = {**defaults(shop.base_currency), "undo_seconds": shop.undo_seconds}
        versions.create(
            shop_id=shop.pk,
            currency=shop.base_currency,
            version=1,
            reason="Defaults of a new shop, with the undo window that was set",
            created_at=shop.created_at,
            published_at=shop.created_at,
            effective_at=shop.created_at,
            **numbers,
        )


class Migration(migrations.Migration):
    dependencies = [("cases", "0018_same_people_and_addresses"), ("approvals", "0005_versions")]

    operations = [
        migrations.RunPython(give, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="shop", name="undo_seconds"),
    ]
