from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tools", "0010_drift_announced_by_default")]

    operations = [
        migrations.AddField(
            model_name="toolcall",
            name="held_since",
            field=models.DateTimeField(
                help_text="The vendor is given a rest; nothing was sent.",
                null=True,
                verbose_name="held back since",
            ),
        ),
    ]
