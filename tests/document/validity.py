"""JSON Schema validation with the document's own formats, which say what patterns cannot."""

import re
import zoneinfo
from datetime import date
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FORMATS = FormatChecker(["uuid"])

ZONES = zoneinfo.available_timezones() - {"localtime", "posixrules", "Factory"}

# Codes that must be taken; there are more.
CURRENCIES = set(
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JOD JPY KES KRW KWD LYD "
    "MAD MXN MYR NOK NZD OMR PHP PLN RON RSD SAR SEK SGD THB TND TRY TWD UAH UGX USD UYU VND XAF XOF XPF ZAR".split()
)
COUNTRIES = set(
    "AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IS IT JO JP KE KR KW LT LU "
    "LV MA MT MX MY NL NO NZ PH PL PT RO RS SA SE SG SI SK TH TN TR TW UA US UY VN ZA".split()
)


def within(text, most):
    return abs(float(text)) <= most


def is_web_address(text):
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def is_money(text):
    return re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) is not None


def is_day(text):
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and date.fromisoformat(text) is not None


def for_text(judge):
    return lambda value: not isinstance(value, str) or judge(value)


KNOWN = {
    "money": is_money,
    "iso-4217": lambda text: text.upper() in CURRENCIES,
    "iso-3166-1": lambda text: text.upper() in COUNTRIES,
    "iana-time-zone": lambda text: text in ZONES,
    "date": is_day,
    "time-of-day": lambda text: re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is not None,
    "longitude": lambda text: within(text, 180),
    "latitude": lambda text: within(text, 90),
    "uri": is_web_address,
    "email": lambda text: re.fullmatch(r"[^\s@]+@[^\s@]+", text) is not None,
}

for name, judge in KNOWN.items():
    FORMATS.checks(name, raises=ValueError)(for_text(judge))


class Judge:
    """Validates against schemas of one document."""

    def __init__(self, document):
        self.registry = Registry().with_resource("urn:document", DRAFT202012.create_resource(document))

    def problems(self, schema, value):
        """What is wrong with a value, one line each."""
        here = {"$id": "urn:document:part", **absolute(schema)}
        validator = Draft202012Validator(here, registry=self.registry, format_checker=FORMATS)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def absolute(node):
    """The same schema, its references leading into the document."""
    if isinstance(node, list):
        return [absolute(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        name: f"urn:document{part}" if name == "$ref" and isinstance(part, str) else absolute(part)
        for name, part in node.items()
    }
