from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tools", "0008_announced_and_delivered")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="read_as_of",
            field=models.DateTimeField(
                help_text="The shop's own time of the newest change that reconciliation has read.",
                null=True,
                verbose_name="reconciled up to",
            ),
        ),
    ]
