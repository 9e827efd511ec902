from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0013_legal_entities"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvariantRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "night",
                    models.DateField(
                        help_text="Empty: somebody asked for it.",
                        null=True,
                        unique=True,
                        verbose_name="night",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked for")),
                ("began_at", models.DateTimeField(null=True, verbose_name="began")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("error", models.CharField(blank=True, max_length=64, verbose_name="error")),
                ("full", models.BooleanField(default=False, verbose_name="the whole audit chain")),
                ("checked", models.PositiveSmallIntegerField(default=0, verbose_name="invariants checked")),
                ("broken", models.PositiveIntegerField(default=0, verbose_name="violations")),
                ("found", models.JSONField(default=list, verbose_name="what was found")),
                ("milliseconds", models.PositiveIntegerField(default=0, verbose_name="took (ms)")),
                ("entries_from", models.BigIntegerField(default=0, verbose_name="audit entries after")),
                ("entries_until", models.BigIntegerField(default=0, verbose_name="audit entries up to")),
                ("chain_held", models.BooleanField(default=False, verbose_name="the chain held")),
            ],
            options={
                "verbose_name": "check of the books",
                "verbose_name_plural": "checks of the books",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["asked_at"],
                        name="check_of_books_under_way",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", True), ("began_at__isnull", False), _connector="OR"
                        ),
                        name="check_of_books_began",
                    )
                ],
            },
        ),
    ]
