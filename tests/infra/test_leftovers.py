"""What a test commits is gone before the next one, and what the migrations left is there."""

from threading import Thread

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from tests import factories as f
from tests.audit.log import write
from tests.leftovers import AsMigrated, copied, tables, with_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def left() -> AsMigrated:
    return AsMigrated.remember()


def rows() -> dict[str, bytes]:
    with connection.cursor() as cursor:
        return {table: copied(cursor, table) for table in with_rows(cursor, tables(cursor))}


def test_what_the_migrations_left_is_there_and_nothing_else(left: AsMigrated) -> None:
    assert {"auth_group", "auth_permission", "django_content_type"} <= left.rows.keys()
    assert not {"cases_shop", "cases_user", "audit_entry", "audit_streamhead"} & left.rows.keys()


def test_committed_rows_are_deleted_also_where_deleting_is_forbidden(left: AsMigrated) -> None:
    f.make_order(f.make_shop("north"))
    write("case/1")
    assert {"cases_shop", "tools_order", "audit_entry", "audit_streamhead"} <= rows().keys()
    left.put_back()
    assert rows() == left.rows


def test_what_was_there_before_comes_back_as_it_was(left: AsMigrated) -> None:
    types = ContentType.objects.get_for_model(Group).pk
    Group.objects.create(name="night shift").permissions.add(Permission.objects.earliest("pk"))
    Group.objects.filter(name="viewer").update(name="onlooker")
    Permission.objects.all().delete()
    ContentType.objects.all().delete()
    left.put_back()
    assert rows() == left.rows
    assert ContentType.objects.get_for_model(Group).pk == types


def test_numbers_go_on_after_the_ones_that_were_given(left: AsMigrated) -> None:
    before = f.make_shop("north").pk
    group = Group.objects.create(name="night shift").pk
    left.put_back()
    assert f.make_shop("north").pk > before
    assert Group.objects.create(name="night shift").pk > group


def test_the_guards_are_up_again(left: AsMigrated) -> None:
    left.put_back()
    entry = write("case/1")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        entry.delete()


def test_whoever_has_not_committed_yet_is_awaited(left: AsMigrated) -> None:
    with transaction.atomic():
        f.make_shop("north")
        clearing = Thread(target=put_back_elsewhere, args=[left])
        clearing.start()
        clearing.join(0.3)
        assert clearing.is_alive()
    clearing.join(30)
    assert rows() == left.rows


def put_back_elsewhere(left: AsMigrated) -> None:
    try:
        left.put_back()
    finally:
        connection.close()
