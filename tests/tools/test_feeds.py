"""A supplier's file is taken row by row; a bad row is counted and costs no good one."""

from datetime import date

import pytest

from cases.models import Shop
from tools.errors import InvalidArgs
from tools.models import FeedRun, Supplier, SupplierItem
from tools.suppliers.feeds import import_csv


def test_good_rows_are_taken_and_bad_ones_counted(shop: Shop) -> None:
    data = b"sku,available,restock_date,price\nLAMP,3,2026-12-01,9.90\nCUP,-1,,1\n,4,,1\nPOT,x,,1\nJUG,0,no,1\nPAN,5\n"
    run = import_csv(shop.pk, "Nordic Wholesale", data)
    assert (run.rows, run.taken, run.refused) == (6, 1, 5)
    item = SupplierItem.objects.get()
    assert (item.sku, item.available, item.restock_on) == ("LAMP", 3, date(2026, 12, 1))


def test_the_next_file_of_a_supplier_replaces_what_it_names(shop: Shop) -> None:
    import_csv(shop.pk, "Nordic Wholesale", b"sku,available,restock_date,price\nLAMP,3,,1\nCUP,1,,1\n")
    import_csv(
        shop.pk, "Nordic Wholesale", "\ufeffSKU;x\n".replace(";x", ",Available").encode() + b"LAMP,9\n"
    )
    assert dict(SupplierItem.objects.values_list("sku", "available")) == {"LAMP": 9, "CUP": 1}
    assert (Supplier.objects.count(), FeedRun.objects.count()) == (1, 2)


@pytest.mark.parametrize("data", [b"", b"name,price\na,1\n", b"\xff\xfe", b'sku,available\n"open,1\n'])
def test_a_file_that_is_no_feed_changes_nothing(shop: Shop, data: bytes) -> None:
    with pytest.raises(InvalidArgs):
        import_csv(shop.pk, "Nordic Wholesale", data)
    assert not FeedRun.objects.exists()
