"""What schemathesis needs to know of this API: values of the document's own formats, ids that exist, and which refusals
of valid data the table of `permitted.py` allows."""

import atexit
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation.modes import GenerationMode
from schemathesis.openapi.checks import RejectedPositiveData

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import validity  # noqa: E402
from document import resolved  # noqa: E402
from fuzzing.permitted import Sent, is_permitted, trimmed  # noqa: E402
from fuzzing.world import KINDS, UUID, World  # noqa: E402
from program import Program  # noqa: E402

PROGRAM = Program(os.environ["LATCHKEY_FUZZED"], os.environ["LATCHKEY_FUZZED_KEY"])
RANDOM = random.Random(int(os.environ["LATCHKEY_FUZZED_SEED"]))
WORLD = World(PROGRAM, RANDOM)
DOCUMENT = PROGRAM.ask("GET", "/openapi.json")
JUDGE = validity.Judge(DOCUMENT)

# --- Formats ---------------------------------------------------------------------------------------------------------


def decimals(most):
    whole = st.integers(-most, most).map(str)
    parts = st.tuples(st.integers(1 - most, most - 1), st.text("0123456789", min_size=1, max_size=7))
    return whole | parts.map(lambda parts: f"{parts[0]}.{parts[1]}")


def any_case(words):
    word = st.sampled_from(sorted(words))
    return word | word.map(str.lower)


# Not those of hypothesis: it takes seconds to hit upon one that is too long for its field.
DOMAINS = st.tuples(st.text("abcdefghij0123456789", min_size=1, max_size=63), st.sampled_from(["com", "co.uk", "museum"])).map(
    ".".join
)
LENGTHS = st.integers(0, 60) | st.integers(250, 2500)

FORMATS = {
    "money": st.integers(1, 10**8).map(str) | st.tuples(st.integers(1, 10**8), st.integers(0, 99)).map(
        lambda parts: f"{parts[0]}.{parts[1]:02}"
    ),
    "iso-4217": any_case(validity.CURRENCIES),
    "iso-3166-1": any_case(validity.COUNTRIES),
    "iana-time-zone": st.sampled_from(sorted(validity.ZONES)),
    "time-of-day": st.times().map(lambda time: f"{time:%H:%M}"),
    "longitude": decimals(180),
    "latitude": decimals(90),
    "facility-id": st.sampled_from(WORLD.facilities["property"] + WORLD.facilities["room_type"]),
    "uri": st.tuples(st.sampled_from(["http", "https"]), DOMAINS, LENGTHS).map(
        lambda parts: f"{parts[0]}://{parts[1]}/{'a' * parts[2]}"
    ),
    "email": st.tuples(LENGTHS, DOMAINS).map(lambda parts: f"{'a' * parts[0]}b@{parts[1]}"),
}
for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)

# --- Ids that exist --------------------------------------------------------------------------------------------------


def often():
    return RANDOM.random() < 0.8


def is_id(value):
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def is_title(value):
    """True for a text that stays as valid as it is when a number is added to it."""
    return isinstance(value, str) and len(value) < 240 and value.isprintable() and value.strip() != ""


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts ids that exist where valid ones of nobody stand, most of the time. What is not valid stays so."""
    operation = case.operation.definition.raw.get("operationId", "")
    if not all(is_id(id) for id in case.path_parameters.values()) or not case.path_parameters:
        names = {}
    else:
        names = path_ids(operation, case) if often() else {}
    for name, id in names.items():
        case.path_parameters[name] = id
    if isinstance(case.body, dict) and often():
        for fields in case.body.values():
            if isinstance(fields, dict):
                with_ids(operation, fields, case)


def path_ids(operation, case):
    """Ids for the path: of something that stays, or, where it would go, of something made for that."""
    if operation in ("add_property_to_group", "remove_property_from_group"):
        group, hotel = WORLD.make("group"), WORLD.pick("property")
        if operation == "remove_property_from_group":
            PROGRAM.ask("POST", f"/groups/{group}/properties/{hotel}")
        return {"group_id": group, "property_id": hotel}
    kind = KINDS[case.path.split("{")[0]]
    removes = case.method == "DELETE"
    return {"id": WORLD.make(kind) if removes else WORLD.pick(kind)}


def with_ids(operation, fields, case):
    """Ids that fit each other, in place of valid ones."""
    def put(name, id):
        if is_id(fields.get(name)):
            fields[name] = id

    kind = operation.partition("_")[2]
    room = WORLD.pick("room_type")
    plans = [plan for plan in WORLD.lasting["rate_plan"] if WORLD.alive["rate_plan"].get(plan) is not None]
    hotel = WORLD.alive["room_type"][room]
    if operation == "update_rate_plan":
        hotel, room = WORLD.place_of_plan(str(case.path_parameters.get("id", "")).lower()) or (hotel, room)
    if operation in ("update_tax_set", "update_photo"):
        hotel = WORLD.alive[kind].get(str(case.path_parameters.get("id", "")).lower()) or hotel
        room = next((room for room in WORLD.lasting["room_type"] if WORLD.alive["room_type"][room] == hotel), room)
    # What must be there once only would hide everything else that is right or wrong.
    if kind == "rate_plan" and is_title(fields.get("title")):
        fields["title"] += f" {next(WORLD.numbers)}"
    if "@" in str(fields.get("user_email")) and is_title(fields["user_email"]):
        fields["user_email"] = f"{next(WORLD.numbers)}{fields['user_email']}"
    put("property_id", hotel)
    put("room_type_id", room)
    put("group_id", WORLD.pick("group"))
    siblings = [plan for plan in plans if WORLD.alive["rate_plan"][plan] == hotel]
    if siblings:
        put("parent_rate_plan_id", RANDOM.choice(siblings))
    facilities = fields.get("facilities")
    if isinstance(facilities, list) and kind in WORLD.facilities:
        known = WORLD.facilities["property"] + WORLD.facilities["room_type"]
        fields["facilities"] = [
            RANDOM.choice(WORLD.facilities[kind]) if entry in known else entry for entry in facilities
        ]
    if kind == "tax_set":
        with_taxes(fields.get("taxes"), WORLD.of("tax", hotel))
    if case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
        with_one_primary(fields.get("options"))
        if operation == "create_tax" and fields is case.body.get("tax"):
            with_fitting_rate(fields)


def with_taxes(entries, taxes):
    """Taxes of one property in place of valid ids, on both levels."""
    for entry in entries if isinstance(entries, list) and taxes else ():
        if isinstance(entry, dict):
            if is_id(entry.get("id")):
                entry["id"] = RANDOM.choice(taxes)
            with_taxes(entry.get("taxes"), taxes)


def with_fitting_rate(tax):
    """A percentage of a hundred at most, or an amount that has a currency."""
    if tax["logic"] != "percent":
        tax["currency"] = tax.get("currency") or "EUR"
    elif isinstance(tax["rate"], int):
        tax["rate"] %= 10001
    elif float(tax["rate"]) > 100:
        tax["rate"] = f"{RANDOM.randrange(100)}.{RANDOM.randrange(10000):04}"


def with_one_primary(options):
    """Options of valid entries that also fit each other."""
    for place, option in enumerate(options or []):
        option["occupancy"] = place + 1
        option["is_primary"] = place == 0


# --- What comes back -------------------------------------------------------------------------------------------------


# How often each operation answered each status.
ANSWERS = Counter()


@atexit.register
def tell():
    Path(os.environ["LATCHKEY_FUZZED_ANSWERS"]).write_text(json.dumps(ANSWERS, indent=1, sort_keys=True))


@schemathesis.hook
def after_call(context, case, response):
    if response.request.method == case.operation.method.upper():
        ANSWERS[f"{case.operation.definition.raw['operationId']} {response.status_code}"] += 1
    WORLD.note(response.request.method, case.path, case.path_parameters, response)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """False for what `permitted.py` permits."""
    operation = case.operation.definition.raw
    key, fields = under_top_key(operation, case.body)
    sent = Sent(WORLD, operation["operationId"], case.path_parameters, fields)
    if isinstance(failure, RejectedPositiveData):
        details = response.json()["errors"].get("details")
        return not is_permitted(sent, response.status_code, details)
    if isinstance(failure, AcceptedNegativeData):
        if response.status_code == 403:
            # Who may invite is asked before the rest of the body is judged.
            return not is_permitted(sent, 403, None)
        if key:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            taken = as_taken({key: trimmed(fields)}, schema)
            return taken == {key: fields} or bool(JUDGE.problems(schema, taken))
    return True


def as_taken(value, schema):
    """A body as the program takes it: blank in an optional text is null, and an empty list where an object goes an empty
    object (docs/contract/README.md, section 15, 115 and 116). What is blank anywhere else stays, and is wrong."""
    schema = resolved(DOCUMENT, schema)
    for form in schema.get("anyOf", ()):
        taken = as_taken(value, form)
        if not JUDGE.problems(form, taken):
            return taken
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    if isinstance(value, dict):
        inside = schema.get("properties", {})
        return {name: as_taken(entry, inside.get(name, {})) for name, entry in value.items()}
    if value == [] and "object" in types:
        return {}
    if isinstance(value, list):
        return [as_taken(entry, schema.get("items", {})) for entry in value]
    is_blank = isinstance(value, str) and not value.strip()
    return None if is_blank and "null" in types and {*types} <= {"string", "null"} else value


def under_top_key(operation, body):
    """The top key of an operation's body and what was sent under it."""
    if "requestBody" not in operation or not isinstance(body, dict):
        return None, body
    schema = resolved(DOCUMENT, operation["requestBody"]["content"]["application/json"]["schema"])
    key, = schema["required"]
    return key, body.get(key)
