from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="entry",
            name="audit_entry_by_subject",
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                fields=["subject_type", "subject_id", "id"],
                include=("action",),
                name="audit_entry_by_subject",
            ),
        ),
    ]
