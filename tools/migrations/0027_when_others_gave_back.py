from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("tools", "0026_refunded_elsewhere")]

    operations = [
        migrations.AddField(
            model_name="ledgerentry",
            name="made_at",
            field=models.DateTimeField(
                help_text="By the vendor's clock, where others moved the money.",
                null=True,
                verbose_name="made",
            ),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                condition=Q(kind="elsewhere"), fields=["shop", "made_at"], name="entry_made_elsewhere"
            ),
        ),
    ]
