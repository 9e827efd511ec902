from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tools", "0024_pending_risks")]

    operations = [
        migrations.AddField(
            model_name="return",
            name="contents",
            field=models.JSONField(
                help_text=(
                    "By the shop's own line ids: line, quantity, processed. Unknown until it has been read."
                ),
                null=True,
                verbose_name="what it holds",
            ),
        ),
    ]
