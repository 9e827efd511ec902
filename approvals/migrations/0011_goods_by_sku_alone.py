from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0010_who_pays_the_return")]

    operations = [
        migrations.AlterField(
            "termsversion",
            "final_sale",
            models.JSONField(
                default=list,
                help_text=(
                    "SKUs or patterns as SALE-*, one a line: a shop's order names no tags and no product type. A right of"
                    " withdrawal holds all the same."
                ),
                verbose_name="final sale (SKUs)",
            ),
        ),
        migrations.AlterField(
            "termsversion",
            "hygiene",
            models.JSONField(
                default=list,
                help_text=(
                    "SKUs or patterns, one a line: a shop's order names no tags and no product type. A person looks at"
                    " the seal before the money goes back."
                ),
                verbose_name="sealed for hygiene (SKUs)",
            ),
        ),
    ]
