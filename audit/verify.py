"""Recomputes the chains from what is stored, and says where they don't hold.

It finds edited, missing, added and reordered entries and a head that disagrees. It can't see a log
whose every later hash was computed anew: for that, keep heads outside of this database.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from audit.models import BEGINNING, Entry, StreamHead, chained

ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where a stream does not hold; `seq` is None where the fault is the head's."""

    stream: str
    seq: int | None
    why: str


@dataclass(slots=True)
class Report:
    entries: int = 0
    streams: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults


def verify(stream: str | None = None) -> Report:
    """Check one stream, or all; memory stays flat, and writers are not held up."""
    report = Report()
    entries = Entry.objects.order_by("stream", "seq", "id")
    heads = StreamHead.objects.all()
    if stream is not None:
        entries, heads = entries.filter(stream=stream), heads.filter(stream=stream)
    with _one_snapshot():
        ends: dict[str, Entry] = {}
        rows = entries.iterator(chunk_size=ROWS_AT_ONCE)
        for name, group in groupby(rows, key=attrgetter("stream")):
            report.streams += 1
            ends[name] = _walk(group, report)
            if len(ends) >= ROWS_AT_ONCE:
                report.faults.extend(_faults_of_heads(ends))
                ends = {}
        report.faults.extend(_faults_of_heads(ends))
        empty = heads.exclude(Exists(Entry.objects.filter(stream=OuterRef("stream"))))
        for head in empty.iterator(chunk_size=ROWS_AT_ONCE):
            report.streams += 1
            why = _("the head counts %(seq)d entries, and none is there") % {"seq": head.seq}
            report.faults.append(Fault(head.stream, None, why))
    return report


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Entries and heads are read in several queries, and an insert in between must not look like a fault."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        # A transaction that has begun keeps its isolation level: the caller's snapshot is the caller's care.
        if not inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _walk(entries: Iterable[Entry], report: Report) -> Entry:
    """Follow one stream and return its last entry.

    Each entry is compared with what its neighbour stores, so that one edit is one fault and not a
    fault in everything after it.
    """
    seq, prev_hash = 0, BEGINNING
    for entry in entries:
        report.entries += 1
        for why in _faults_of_entry(entry, seq + 1, prev_hash):
            report.faults.append(Fault(entry.stream, entry.seq, why))
        seq, prev_hash = entry.seq, entry.hash
    return entry


def _faults_of_entry(entry: Entry, seq: int, prev_hash: str) -> Iterator[str]:
    if entry.seq != seq:
        yield _("number %(seq)d should stand here") % {"seq": seq}
    elif entry.prev_hash != prev_hash:
        yield _("it does not follow the entry before it")
    if entry.hash != chained(entry.prev_hash, entry.stream, entry.seq, entry.body):
        yield _("its text or place is not what its hash was made from")
    elif not _columns_agree(entry):
        yield _("its columns do not say what its text says")


def _columns_agree(entry: Entry) -> bool:
    try:
        return entry.written(json.loads(entry.body)["data"]) == entry.body
    except (ValueError, KeyError, TypeError):
        return False


def _faults_of_heads(ends: dict[str, Entry]) -> Iterator[Fault]:
    heads = StreamHead.objects.in_bulk(list(ends))
    for stream, last in ends.items():
        head = heads.get(stream)
        if head is None:
            yield Fault(stream, None, _("the stream has no head"))
        elif head.seq != last.seq:
            why = _("the head stands at %(head)d and the last entry at %(last)d")
            yield Fault(stream, None, why % {"head": head.seq, "last": last.seq})
        elif head.hash != last.hash:
            yield Fault(stream, None, _("the head's hash is not the last entry's"))
