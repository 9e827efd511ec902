"""The tables of the sandbox's own SQLite file."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS shop (slug TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shop_order (
    shop TEXT, id TEXT, customer TEXT, charge TEXT, payment_intent TEXT, doc TEXT NOT NULL, PRIMARY KEY (shop, id));
CREATE INDEX IF NOT EXISTS order_by_customer ON shop_order (shop, customer);
CREATE INDEX IF NOT EXISTS order_by_charge ON shop_order (shop, charge);
CREATE INDEX IF NOT EXISTS order_by_payment_intent ON shop_order (shop, payment_intent);
CREATE TABLE IF NOT EXISTS variant (
    shop TEXT, sku TEXT, id TEXT, title TEXT, price TEXT, available INTEGER, PRIMARY KEY (shop, sku));
CREATE TABLE IF NOT EXISTS part (
    shop TEXT, order_id TEXT, kind TEXT, id TEXT, doc TEXT NOT NULL, PRIMARY KEY (shop, order_id, kind, id));
CREATE TABLE IF NOT EXISTS refund (
    seq INTEGER PRIMARY KEY, vendor TEXT NOT NULL, shop TEXT NOT NULL, id TEXT NOT NULL, order_id TEXT, charge TEXT,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0), currency TEXT NOT NULL, status TEXT NOT NULL,
    idempotency_key TEXT, created_at TEXT NOT NULL, made_by TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (vendor, shop, id));
CREATE INDEX IF NOT EXISTS refund_by_order ON refund (shop, order_id);
CREATE INDEX IF NOT EXISTS refund_by_charge ON refund (shop, charge);
CREATE TABLE IF NOT EXISTS dispute (shop TEXT, id TEXT, charge TEXT, order_id TEXT, doc TEXT NOT NULL,
    PRIMARY KEY (shop, id));
CREATE TABLE IF NOT EXISTS kept_answer (
    vendor TEXT, shop TEXT, key TEXT, fingerprint TEXT NOT NULL, status INTEGER, body BLOB, headers TEXT NOT NULL,
    PRIMARY KEY (vendor, shop, key));
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY, vendor TEXT NOT NULL, shop TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (vendor, shop, id));
CREATE TABLE IF NOT EXISTS tag (shop TEXT, order_id TEXT, name TEXT, PRIMARY KEY (shop, order_id, name));
CREATE TABLE IF NOT EXISTS fault (
    seq INTEGER PRIMARY KEY, vendor TEXT NOT NULL, shop TEXT NOT NULL, operation TEXT NOT NULL, times INTEGER,
    doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS thing (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, shop TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (kind, shop, id));
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY, shop TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, created INTEGER NOT NULL,
    doc TEXT NOT NULL, UNIQUE (shop, id));
CREATE TABLE IF NOT EXISTS target (
    seq INTEGER PRIMARY KEY, shop TEXT NOT NULL, vendor TEXT NOT NULL, url TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (shop, vendor, url));
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY, target INTEGER NOT NULL, topic TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    created REAL NOT NULL, due REAL, state TEXT NOT NULL, attempts TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_by_due ON delivery (state, due);
"""
# Columns that a ledger file of an earlier version lacks.
LATER = (
    ("shop_order", "updated_at", "TEXT NOT NULL DEFAULT ''"),
    ("kept_answer", "kept_at", "REAL NOT NULL DEFAULT 9e9"),
)
TABLES = (
    "shop",
    "shop_order",
    "variant",
    "part",
    "refund",
    "dispute",
    "kept_answer",
    "message",
    "tag",
    "fault",
    "setting",
    "thing",
    "event",
    "target",
    "delivery",
)
