from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_announced_and_delivered")]

    operations = [
        migrations.AddField(
            model_name="cursor",
            name="rung_at",
            field=models.DateTimeField(null=True, verbose_name="asked for"),
        ),
    ]
