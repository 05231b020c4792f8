"""JSON Schema validation with the document's own formats, which say what patterns cannot."""

import re
import zoneinfo
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FORMATS = FormatChecker(["uuid"])

ZONES = zoneinfo.available_timezones()


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


def for_text(judge):
    return lambda value: not isinstance(value, str) or judge(value)


KNOWN = {
    "money": is_money,
    "iana-time-zone": lambda text: text in ZONES,
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
