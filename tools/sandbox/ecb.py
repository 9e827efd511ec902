"""The central bank's daily file, of the sandbox's own day: https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml."""

from datetime import timedelta
from sqlite3 import Connection

from tools.sandbox.exchange import Answer, Request, Vendor

FILE = "/stats/eurofxref/eurofxref-daily.xml"
RATES = {
    "USD": "1.1625", "JPY": "176.50", "CZK": "24.275", "DKK": "7.4691", "GBP": "0.8741", "HUF": "386.80",
    "PLN": "4.2480", "RON": "5.0842", "SEK": "10.9535", "CHF": "0.9314", "ISK": "146.60", "NOK": "11.7250",
    "TRY": "48.9120", "AUD": "1.7805", "BRL": "6.2540", "CAD": "1.6310", "CNY": "8.2790", "HKD": "9.0365",
    "INR": "102.9150", "KRW": "1650.42", "MXN": "21.4950", "NZD": "2.0310", "SGD": "1.5110", "THB": "37.890",
    "ZAR": "20.1560",
}  # fmt: skip
WEEKEND = 5


def operation(request: Request) -> str:
    return "daily_rates" if request.path == FILE else "unknown"


def answer(request: Request, db: Connection) -> Answer:
    if request.method != "GET" or request.path != FILE:
        return Answer.text(404, "Not Found")
    day = request.now.date()
    while day.weekday() >= WEEKEND:
        day -= timedelta(days=1)
    rows = "".join(f"\t\t\t<Cube currency='{code}' rate='{rate}'/>\n" for code, rate in RATES.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
        ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
        "\t<gesmes:subject>Reference rates</gesmes:subject>\n"
        "\t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n"
        f"\t<Cube>\n\t\t<Cube time='{day.isoformat()}'>\n{rows}\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>\n"
    )
    return Answer(200, body.encode(), {"Content-Type": "text/xml"})


VENDOR = Vendor(operation, answer)
