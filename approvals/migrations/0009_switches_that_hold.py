from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0008_why_flags_were_raised"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="killswitch",
            index=models.Index(
                condition=models.Q(("released_at__isnull", True)), fields=["shop"], name="switch_that_holds"
            ),
        ),
    ]
