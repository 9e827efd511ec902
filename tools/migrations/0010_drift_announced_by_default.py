from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tools", "0009_order_read_as_of")]

    operations = [
        migrations.AlterField(
            model_name="drift",
            name="announce_attempts",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, verbose_name="attempts to announce"
            ),
        ),
    ]
