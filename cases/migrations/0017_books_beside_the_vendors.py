from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0016_looking_before_cancelling")]

    operations = [
        migrations.AddField(
            model_name="invariantrun",
            name="compared",
            field=models.PositiveIntegerField(null=True, verbose_name="payments compared with their vendors"),
        ),
        migrations.AddField(
            model_name="invariantrun",
            name="unread",
            field=models.JSONField(default=dict, verbose_name="payments not read"),
        ),
    ]
