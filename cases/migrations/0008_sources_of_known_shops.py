"""Shops that were opened before sources had a cut-over of their own: each source counts from the shop's."""

from django.db import migrations

FORWARD = """
INSERT INTO cases_connection (shop_id, source, cutover_at, connected_at)
SELECT shop.id, source.name, shop.cutover_at, shop.created_at
FROM cases_shop AS shop CROSS JOIN (VALUES ('shopify'), ('stripe'), ('whatsapp'), ('email')) AS source (name)
ON CONFLICT (shop_id, source) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_cursor_goes_on")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
