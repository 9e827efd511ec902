import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import audit.sources


def entities_of_texts(apps, schema_editor):
    """Shops that named the same seller belong to one legal entity."""
    Shop = apps.get_model("cases", "Shop")
    LegalEntity = apps.get_model("cases", "LegalEntity")
    for shop in Shop.objects.all():
        entity, _made = LegalEntity.objects.get_or_create(name=shop.seller)
        Shop.objects.filter(pk=shop.pk).update(legal_entity=entity)


def texts_of_entities(apps, schema_editor):
    Shop = apps.get_model("cases", "Shop")
    for shop in Shop.objects.select_related("legal_entity"):
        Shop.objects.filter(pk=shop.pk).update(seller=shop.legal_entity.name)


# A table with deferred checks pending can't be altered in the same transaction.
CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"


class Migration(migrations.Migration):
    dependencies = [("cases", "0012_payment_tasks"), ("tools", "0017_duties_by_id")]

    operations = [
        migrations.CreateModel(
            name="LegalEntity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200, unique=True, verbose_name="name")),
                (
                    "address",
                    models.TextField(
                        blank=True, help_text="As on an envelope, one line each.", verbose_name="address"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator("^[A-Z]{2}$", "Two capital letters: DE.")
                        ],
                        verbose_name="country",
                    ),
                ),
                (
                    "vat_id",
                    models.CharField(
                        blank=True,
                        help_text="With its kind: VAT DE123456789.",
                        max_length=64,
                        verbose_name="VAT or tax id",
                    ),
                ),
                (
                    "register_line",
                    models.CharField(
                        blank=True,
                        help_text="Register court and number, managing directors.",
                        max_length=200,
                        verbose_name="register",
                    ),
                ),
                (
                    "credit_note_prefix",
                    models.CharField(
                        default="CN-",
                        help_text="Stands before the number, which goes on whatever the prefix is: CN-000001.",
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z0-9/_-]*$", "Capital letters, digits, hyphens and slashes."
                            )
                        ],
                        verbose_name="prefix of credit notes",
                    ),
                ),
            ],
            options={
                "verbose_name": "legal entity",
                "verbose_name_plural": "legal entities",
                "ordering": ["name"],
            },
        ),
        migrations.RenameField("Shop", "legal_entity", "seller"),
        migrations.AddField(
            "Shop",
            "legal_entity",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shops",
                to="cases.legalentity",
                verbose_name="legal entity",
            ),
        ),
        migrations.AlterField("Shop", "seller", models.CharField(default="", max_length=200)),
        migrations.RunPython(entities_of_texts, texts_of_entities),
        migrations.RunSQL(CHECK_NOW, CHECK_NOW),
        migrations.RemoveField("Shop", "seller"),
        migrations.AlterField(
            "Shop",
            "legal_entity",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shops",
                to="cases.legalentity",
                verbose_name="legal entity",
            ),
        ),
        migrations.AddField(
            "Shop",
            "credit_notes",
            models.CharField(
                choices=[
                    ("ours", "we issue them here"),
                    ("external", "another system issues them"),
                    ("none", "none are issued"),
                ],
                default="none",
                help_text="Where Stripe has invoiced an order, Stripe issues its credit note itself.",
                max_length=12,
                verbose_name="credit notes",
            ),
        ),
        migrations.CreateModel(
            name="PersonKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.sources.random_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("wrapped", models.BinaryField(verbose_name="wrapped key")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="text_key",
                        to="cases.person",
                        verbose_name="person",
                    ),
                ),
            ],
            options={"verbose_name": "key of a person", "verbose_name_plural": "keys of people"},
        ),
        migrations.CreateModel(
            name="PersonalText",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.sources.random_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("sealed", models.BinaryField(verbose_name="encrypted text")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                (
                    "call",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="personal_text",
                        to="tools.toolcall",
                        verbose_name="tool call",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="texts",
                        to="cases.personkey",
                        verbose_name="key",
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.shop",
                        verbose_name="shop",
                    ),
                ),
            ],
            options={"verbose_name": "personal text", "verbose_name_plural": "personal texts"},
        ),
    ]
