import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from opsagent import heartbeat
from opsagent.broker import Broker, Listener, channel

pytestmark = pytest.mark.django_db(transaction=True)

JOB = "opsagent.heartbeat.beat"


def names(packages: list[tuple[int | None, str]] | None) -> list[str]:
    return [SignedPackage.loads(payload)["name"] for _, payload in packages or []]


@pytest.fixture
def broker() -> Broker:
    return Broker("urgent")


def test_task_waits_in_the_queue_that_was_named() -> None:
    async_task(JOB, cluster="planner")
    assert OrmQ.objects.get().key == "planner"


def test_task_is_rolled_back_with_its_transaction() -> None:
    with transaction.atomic():
        async_task(JOB, cluster="urgent")
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()


def test_wake_up_comes_with_the_commit_and_not_before() -> None:
    listener = Listener(channel("urgent"))
    with transaction.atomic():
        async_task(JOB, cluster="urgent")
        assert not list(listener.connection.notifies(timeout=0.2, stop_after=1))
    assert list(listener.connection.notifies(timeout=2, stop_after=1))
    listener.connection.close()


def test_task_is_handed_out_once(broker: Broker) -> None:
    async_task(JOB, task_name="only", cluster="urgent")
    assert names(broker.dequeue()) == ["only"]
    assert broker._claim() == []
    broker._disconnect()


def test_what_could_not_be_acknowledged_is_with_the_next(broker: Broker) -> None:
    for _ in range(2):
        async_task(JOB, cluster="urgent")
    first, second = (pk or 0 for pk, _ in broker.dequeue() or [])
    known = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    broker.acknowledge(first)
    connection.settings_dict["PORT"] = known
    assert OrmQ.objects.count() == 2
    broker.acknowledge(second)
    assert not OrmQ.objects.exists()
    broker._disconnect()


def test_tasks_of_another_queue_stay(broker: Broker) -> None:
    async_task(JOB, cluster="bulk")
    assert broker._claim() == []


def test_oldest_tasks_come_first(broker: Broker) -> None:
    for name in ("first", "second", "third"):
        async_task(JOB, task_name=name, cluster="urgent")
    assert names(broker._claim()) == ["first", "second", "third"]


def test_task_that_nobody_acknowledged_comes_back(broker: Broker) -> None:
    async_task(JOB, task_name="lost", cluster="urgent")
    broker._claim()
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    assert names(broker._claim()) == ["lost"]


def test_two_clusters_never_take_one_row(broker: Broker) -> None:
    for _ in range(20):
        async_task(JOB, cluster="urgent")
    taken: list[int | None] = []

    def drain() -> None:
        while packages := Broker("urgent")._claim():
            taken.extend(pk for pk, _ in packages)
        connection.close()

    threads = [threading.Thread(target=drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 20


def test_waiting_cluster_wakes_at_once(broker: Broker) -> None:
    broker._listening()

    def enqueue() -> None:
        time.sleep(0.1)
        async_task(JOB, cluster="urgent")
        connection.close()

    thread = threading.Thread(target=enqueue)
    thread.start()
    began = time.monotonic()
    assert broker.dequeue() is None
    assert time.monotonic() - began < 0.8
    thread.join()
    broker._disconnect()


def test_database_that_is_away_counts_as_empty(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    broker._listening().connection.close()
    monkeypatch.setattr("opsagent.broker.Conf.POLL", 0.01)
    assert broker.dequeue() is None
    async_task(JOB, task_name="after", cluster="urgent")
    assert names(broker.dequeue()) == ["after"]
    broker._disconnect()


class TestBeat:
    @pytest.fixture(autouse=True)
    def supervised(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(heartbeat.FOLDER_VARIABLE, str(tmp_path))

    def test_beat_is_no_row_and_has_nothing_to_acknowledge(self, broker: Broker) -> None:
        packages = broker._due_beat()
        assert [pk for pk, _ in packages] == [None]
        assert names(packages) == ["beat"]
        assert not OrmQ.objects.exists()

    def test_next_beat_waits_for_the_last_one(self, broker: Broker) -> None:
        broker._due_beat()
        broker._sent = time.monotonic() - 3
        assert broker._due_beat() == []
        heartbeat.result_arrived()
        assert names(broker._due_beat()) == ["beat"]

    def test_lost_beat_is_sent_again(self, broker: Broker) -> None:
        broker._due_beat()
        broker._sent = time.monotonic() - 7
        assert names(broker._due_beat()) == ["beat"]
