"""Postmark inbound JSON: https://postmarkapp.com/developer/webhooks/inbound-webhook."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from opsagent.demo.script import Neutral
from opsagent.demo.shops import SHOPS


@dataclass(frozen=True)
class Letter:
    """What a customer wrote; `replies_to` is the Message-ID that the mail answers."""

    name: str
    address: str
    subject: str
    text: str
    photos: int = 0
    replies_to: str | None = None


def _photo(shade: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = zlib.compress(
        b"".join(b"\0" + bytes((shade + x * y) % 256 for x in range(8)) for y in range(8)), 9
    )
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def rfc_message_id(message_id: str) -> str:
    """The Message-ID header of the mail that Postmark numbered so."""
    return f"<{message_id.replace('-', '')[:24]}@mail.example.net>"


def _headers(letter: Letter, message_id: str) -> list[Neutral]:
    domain = letter.address.rpartition("@")[2]
    rows = [
        ("Return-Path", f"<{letter.address}>"),
        ("Received-SPF", f"Pass (sender SPF authorized) identity=mailfrom; envelope-from={letter.address}"),
        (
            "Authentication-Results",
            f"inbound.example.net; spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}",
        ),
        ("X-Spam-Status", "No"),
        ("X-Spam-Score", "-0.1"),
        ("X-Spam-Tests", "DKIM_SIGNED,DKIM_VALID,DKIM_VALID_AU,SPF_PASS"),
        ("MIME-Version", "1.0"),
        ("Message-ID", rfc_message_id(message_id)),
    ]
    if letter.replies_to:
        rows += [("In-Reply-To", letter.replies_to), ("References", letter.replies_to)]
    return [{"Name": name, "Value": value} for name, value in rows]


def inbound_body(shop: str, message_id: str, letter: Letter, at: datetime) -> Neutral:
    """One mail to the shop's inbox, photos attached as small PNG files."""
    inbox = SHOPS[shop].inbox
    to = {"Email": inbox, "Name": SHOPS[shop].name, "MailboxHash": ""}
    photos = [_photo(40 * (n + 1)) for n in range(letter.photos)]
    shown = f'"{letter.name}" <{letter.address}>'
    return {
        "FromName": letter.name,
        "MessageStream": "inbound",
        "From": shown,
        "FromFull": {"Email": letter.address, "Name": letter.name, "MailboxHash": ""},
        "To": f'"{SHOPS[shop].name}" <{inbox}>',
        "ToFull": [to],
        "Cc": "",
        "CcFull": [],
        "Bcc": "",
        "BccFull": [],
        "OriginalRecipient": inbox,
        "Subject": letter.subject,
        "MessageID": message_id,
        "ReplyTo": "",
        "MailboxHash": "",
        "Date": format_datetime(at),
        "TextBody": letter.text,
        "HtmlBody": "",
        "StrippedTextReply": letter.text if letter.replies_to else "",
        "Tag": "",
        "Headers": _headers(letter, message_id),
        "Attachments": [
            {
                "Name": f"IMG_{2040 + n}.png",
                "Content": base64.b64encode(photo).decode(),
                "ContentType": "image/png",
                "ContentLength": len(photo),
            }
            for n, photo in enumerate(photos)
        ],
    }
