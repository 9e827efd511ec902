from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0009_switches_that_hold")]

    operations = [
        migrations.AddField(
            "termsversion",
            "return_fee",
            models.JSONField(
                default=dict,
                help_text="Kept back of the refund, once for an order. Empty: nothing is.",
                verbose_name="fee for the shop's label",
            ),
        ),
        migrations.AddField(
            "termsversion",
            "return_shipping_in",
            models.JSONField(
                default=dict,
                help_text=(
                    "Who pays and countries, a line for each: label: US, CA. One of customer, label and shop."
                ),
                verbose_name="sending back is paid otherwise in",
            ),
        ),
        migrations.AddField(
            "termsversion",
            "withdrawal_shipping",
            models.CharField(
                blank=True,
                choices=[
                    ("", "whoever pays for a change of mind"),
                    ("customer", "the customer, to a carrier of their own"),
                    ("shop", "the shop"),
                ],
                default="",
                help_text="The law lets nobody keep a fee back then: the shop's label is free.",
                max_length=12,
                verbose_name="sending back is paid by, in a withdrawal",
            ),
        ),
        migrations.AlterField(
            "termsversion",
            "return_shipping",
            models.CharField(
                choices=[
                    ("customer", "the customer, to a carrier of their own"),
                    ("label", "the customer, by the shop's label"),
                    ("shop", "the shop"),
                ],
                default="customer",
                help_text="For a change of mind. What is damaged, wrong or missing costs the customer nothing.",
                max_length=12,
                verbose_name="sending back is paid by",
            ),
        ),
    ]
