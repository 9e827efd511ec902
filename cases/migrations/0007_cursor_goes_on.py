from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_handoff_names_its_drift"),
    ]

    operations = [
        migrations.AddField(
            model_name="cursor",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="failed readings in a row"),
        ),
        migrations.AddField(
            model_name="cursor",
            name="resume_after",
            field=models.CharField(blank=True, max_length=512, verbose_name="goes on after"),
        ),
        migrations.AddField(
            model_name="cursor",
            name="resume_until",
            field=models.DateTimeField(null=True, verbose_name="goes on until"),
        ),
        migrations.AddConstraint(
            model_name="cursor",
            constraint=models.CheckConstraint(
                condition=models.Q(("resume_after", ""), ("resume_until__isnull", False), _connector="OR"),
                name="cursor_that_goes_on_knows_until_when",
            ),
        ),
    ]
