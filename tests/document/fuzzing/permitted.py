"""What the program may refuse although the document's schemas take it: what hangs on data, or what JSON Schema cannot
say. Everything else that is valid must be accepted.

A refusal is permitted where each of its messages is, and, where a row names a judge, the judge finds the reason in what
was sent.
"""

import re
from dataclasses import dataclass, field
from typing import Callable

import validity


@dataclass
class Sent:
    """A request and what its refusal says of one field."""

    world: object
    operation: str
    path: dict
    body: object

    def at(self, way):
        """What was sent there; None where nothing was."""
        found = self.body
        for step in way.split("."):
            found = found.get(step) if isinstance(found, dict) else None
        return found


@dataclass
class Row:
    operations: tuple
    status: int
    # The field of a 422, or the words of a 400; nothing for others.
    what: str
    message: str
    reason: str
    judge: Callable = field(default=lambda sent, value: True)


def nobodys(kind):
    """True where there is no such thing."""
    return lambda sent, value: not sent.world.exists(kind, value)


def no_path_leads_to(*kinds):
    """True where an id of the path is nobody's."""
    names = {1: ("id",), 2: ("group_id", "property_id")}[len(kinds)]

    def judge(sent, _):
        ids = [str(sent.path.get(name, "")) for name in names]
        return not all(sent.world.exists(kind, id) for kind, id in zip(kinds, ids))

    return judge


def not_a(form):
    """True where a text is not of a format that its pattern only draws the outline of."""
    return lambda sent, value: isinstance(value, str) and not FORMATS[form](value)


def is_awkward_money(sent, value):
    """Decimals that this currency may not have: it may be another than EUR."""
    return isinstance(value, str) and "." in value or isinstance(value, str) and len(value) > 12


def sent_or_there(sent, name):
    """A field after the request: as it was sent, else as the resource of the path has it. Blank is None."""
    if isinstance(sent.body, dict) and name in sent.body:
        value = sent.body[name]
        return None if isinstance(value, str) and not value.strip() else value
    kind = sent.operation.partition("_")[2]
    return sent.world.attributes(kind, str(sent.path.get("id", "")).lower()).get(name)


def lacks_currency(sent, _):
    """True for a tax of an amount of nothing."""
    return sent_or_there(sent, "logic") != "percent" and sent_or_there(sent, "currency") is None


def is_over_hundred(sent, _):
    """True for a percentage of more than everything; an integer counts hundredths."""
    rate = sent_or_there(sent, "rate")
    percent = rate / 100 if isinstance(rate, int) else float(rate)
    return sent_or_there(sent, "logic") == "percent" and percent > 100


def hotel_of(sent):
    """The property that a resource belongs to, or will."""
    kind = sent.operation.partition("_")[2]
    there = sent.world.alive[kind].get(str(sent.path.get("id", "")).lower())
    return there or str(sent.at("property_id") or "").lower()


def ids_of(taxes):
    """All ids of a set's taxes, on both levels."""
    return [id for tax in taxes or () for id in (tax["id"].lower(), *ids_of(tax.get("taxes")))]


def has_foreign_tax(sent, taxes):
    return any(sent.world.alive["tax"].get(id) != hotel_of(sent) for id in ids_of(taxes))


def has_foreign_room(sent, room):
    return sent.world.alive["room_type"].get(str(room).lower()) != hotel_of(sent)


def photos_beside(sent):
    """The photos of the place where one is put, without itself."""
    photos = sent.world.photos(hotel_of(sent), sent_or_there(sent, "room_type_id"))
    return [photo for photo in photos if photo["id"] != str(sent.path.get("id", "")).lower()]


def is_taken(sent, _):
    return any(photo["position"] == sent_or_there(sent, "position") for photo in photos_beside(sent))


def is_last_taken(sent, position):
    return position is None and any(photo["position"] == LARGEST for photo in photos_beside(sent))


def is_full(sent, _):
    """True where a property, or the account, has the most there may be."""
    kind = sent.operation.partition("_")[2]
    if kind == "photo":
        return len(photos_beside(sent)) >= 100
    return sent.world.count(kind, hotel_of(sent)) >= 200


def anywhere(judge):
    """True where a value, or something inside it, is so."""
    def look(value):
        if isinstance(value, dict):
            return any(look(name) or look(inside) for name, inside in value.items())
        if isinstance(value, list):
            return any(look(inside) for inside in value)
        return judge(value)

    return lambda sent, value: look(value)


FORMATS = validity.KNOWN

LARGEST = 2**31 - 1

WRITE_PROPERTY = ("create_property", "update_property")
WRITE_ROOM_TYPE = ("create_room_type", "update_room_type")
WRITE_RATE_PLAN = ("create_rate_plan", "update_rate_plan")
INVITE = ("invite_property_user", "invite_group_user")
UPDATE_USER = ("update_property_user", "update_group_user")
WRITE_TAX = ("create_tax", "update_tax")
WRITE_TAX_SET = ("create_tax_set", "update_tax_set")
WRITE_POLICY = ("create_hotel_policy", "update_hotel_policy")
WRITE_PHOTO = ("create_photo", "update_photo")
WRITES = (*WRITE_PROPERTY, *WRITE_ROOM_TYPE, *WRITE_RATE_PLAN, *INVITE, *UPDATE_USER, *WRITE_TAX, *WRITE_TAX_SET,
          *WRITE_POLICY, *WRITE_PHOTO)
POLICY_AMOUNTS = "(internet_access_cost|pets_non_refundable_fee|pets_refundable_deposit)"
OF_ONE = ("read", "update", "delete", "withdraw")

ROWS = [
    *(
        Row(tuple(f"{verb}_{kind}" for verb in OF_ONE), 404, "", "", "an id of nobody", no_path_leads_to(kind))
        for kind in ("property", "group", "property_user", "group_user", "room_type", "rate_plan", "tax", "tax_set",
                     "hotel_policy", "photo")
    ),
    Row(("add_property_to_group", "remove_property_from_group"), 404, "", "", "ids of nobody",
        no_path_leads_to("group", "property")),
    Row(("remove_property_from_group",), 404, "", "", "a property that is not in the group",
        lambda sent, _: sent.world.is_outside(sent.path)),
    Row(("add_property_to_group",), 422, "hotel_id", "Only one GroupHotel entity .*", "it is in the group already"),
    Row(("remove_property_from_group",), 400, "Property must belong to at least one group", "", "its last group"),
    Row(("remove_property_from_group",), 400, "Property must have at least one owner", "", "the owner's group"),
    Row(("delete_group",), 400, "Group has properties", "", "it is not empty"),
    Row(("delete_group",), 400, "User must have at least one group", "", "the last group"),
    Row(("withdraw_property_user", "withdraw_group_user"), 400, "User can not withdraw themself", "", "one's own"),
    Row(("update_property_user", "withdraw_property_user"), 400, "Property must have at least one owner", "",
        "the last owner"),
    Row(("update_group_user", "withdraw_group_user"), 400, "Group must have at least one owner", "", "the last owner"),
    Row(INVITE, 400, "User already invited", "", "an address that was invited before"),
    Row(("invite_property_user",), 403, "", "", "a property of nobody",
        lambda sent, _: not sent.world.exists("property", sent.at("property_id"))),
    Row(("invite_group_user",), 403, "", "", "a group of nobody",
        lambda sent, _: not sent.world.exists("group", sent.at("group_id"))),
    Row(("create_property",), 422, "group_id", "does not exist", "a group of nobody", nobodys("group")),
    Row(("create_room_type", "create_rate_plan", "create_tax", "create_tax_set", "create_hotel_policy",
         "create_photo"), 422, "property_id", "does not exist", "a property of nobody", nobodys("property")),
    Row(("create_tax", "create_tax_set", "create_hotel_policy", *WRITE_PHOTO), 403, "", "", "as many as there may be",
        is_full),
    Row(("create_rate_plan",), 422, "room_type_id", "does not exist", "nobody's, or another property's",
        lambda sent, id: sent.world.alive["room_type"].get(str(id).lower()) != str(sent.at("property_id")).lower()),
    Row(("update_rate_plan",), 422, "(property_id|room_type_id)", "is invalid", "a plan stays where it is"),
    Row(WRITE_RATE_PLAN, 422, "parent_rate_plan_id", "does not exist", "nobody's, or another property's"),
    Row(WRITE_RATE_PLAN, 422, "parent_rate_plan_id", "can't be blank", "a mode that needs a parent"),
    Row(("update_rate_plan",), 422, "parent_rate_plan_id", "is invalid", "its own child, or in another currency"),
    Row(("create_rate_plan",), 422, "parent_rate_plan_id", "is invalid", "in another currency",
        lambda sent, _: sent.at("rate_mode") in ("derived", "cascade")),
    Row(("update_rate_plan",), 422, "currency", "is invalid", "plans derive from it in the old one"),
    Row(WRITE_RATE_PLAN, 422, "auto_rate_settings", "can't be blank", "the mode auto needs them"),
    Row(WRITE_RATE_PLAN, 422, "title", "Duplication in Rate Plan title is not allowed", "a taken title"),
    Row(WRITE_RATE_PLAN, 422, "options", "must have exactly one primary option", "none or several are",
        lambda sent, options: sum(option.get("is_primary") is True for option in options) != 1),
    Row(WRITE_RATE_PLAN, 422, "options", r"\d+\.occupancy has already been taken", "the same number of guests twice",
        lambda sent, options: len({option["occupancy"] for option in options}) < len(options)),
    Row(WRITE_RATE_PLAN, 422, "options", r"\d+\.rate is invalid", "decimals that the currency has not",
        lambda sent, options: any(is_awkward_money(sent, option.get("rate")) for option in options)),
    Row(WRITE_RATE_PLAN, 422, "(children_fee|infant_fee)", "is invalid", "decimals that the currency has not",
        is_awkward_money),
    Row(("update_rate_plan",), 422, "(children_fee|infant_fee|options)", r"(\d+\.rate )?is invalid",
        "a price that stays has decimals that the new currency has not",
        lambda sent, value: value is None and sent.at("currency") is not None),
    Row(WRITE_TAX, 422, "currency", "can't be blank", "an amount of nothing", lacks_currency),
    Row(WRITE_TAX, 422, "rate", "must be less than or equal to 100", "more than everything", is_over_hundred),
    Row(WRITE_TAX, 422, "rate", "is invalid", "decimals that the currency has not", is_awkward_money),
    Row(("update_tax",), 422, "rate", "is invalid", "what stays has decimals that its currency has not now",
        lambda sent, rate: rate is None and bool(sent.at("currency") or sent.at("logic"))),
    Row(WRITE_TAX_SET, 422, "taxes", r"\d+\.(id|taxes) does not exist", "nobody's, or another property's",
        has_foreign_tax),
    Row(WRITE_TAX_SET, 422, "taxes", r"should have at most 100 item\(s\)", "those on taxes count too",
        lambda sent, taxes: len(ids_of(taxes)) > 100),
    Row(WRITE_POLICY, 422, POLICY_AMOUNTS, "is invalid", "decimals that the currency has not", is_awkward_money),
    Row(("update_hotel_policy",), 422, POLICY_AMOUNTS, "is invalid",
        "an amount that stays has decimals that the new currency has not",
        lambda sent, value: value is None and sent.at("currency") is not None),
    Row(WRITE_PHOTO, 422, "room_type_id", "does not exist", "nobody's, or another property's", has_foreign_room),
    Row(WRITE_PHOTO, 422, "position", "has already been taken", "two photos in one place", is_taken),
    Row(WRITE_PHOTO, 422, "position", "has no position after the last", "the last place is taken", is_last_taken),
    Row((*WRITE_PROPERTY, *WRITE_RATE_PLAN, *WRITE_TAX, *WRITE_TAX_SET, *WRITE_POLICY), 422, "currency",
        "is invalid", "no such currency", not_a("iso-4217")),
    Row(WRITE_PROPERTY, 422, "country", "is invalid", "no such country", not_a("iso-3166-1")),
    Row(WRITE_PROPERTY, 422, "timezone", "is invalid", "no such time zone", not_a("iana-time-zone")),
    Row(WRITE_PROPERTY, 422, "(longitude|latitude)", "must be (greater|less) than or equal to .*", "off the globe",
        lambda sent, text: isinstance(text, str) and abs(float(text)) > 90),
    Row(WRITE_PROPERTY, 422, "(longitude|latitude)", "is invalid", "a number with more than 7 decimals",
        lambda sent, number: isinstance(number, float) and re.fullmatch(r"-?\d+\.\d{1,7}", repr(number)) is None),
    Row(WRITE_PROPERTY, 422, r"settings\.(min_price|max_price)", "is invalid", "decimals that the currency has not",
        lambda sent, price: is_awkward_money(sent, price) or price is None and sent.at("currency") is not None),
    Row(WRITE_PROPERTY, 422, r"settings\.max_price", "must be greater than or equal to .*", "below the lowest price"),
    Row((*WRITE_PROPERTY, *WRITE_ROOM_TYPE), 422, "facilities", "has an invalid entry", "nobody's facility",
        lambda sent, ids: any(id not in sent.world.facilities[sent.operation.partition("_")[2]] for id in ids)),
    Row((*WRITE_PROPERTY, *WRITE_ROOM_TYPE), 422, r"content\.photos", r"\d+\.position has already been taken",
        "two photos in one place"),
    Row((*WRITE_PROPERTY, *WRITE_ROOM_TYPE), 422, r"content\.photos", r"should have at most 100 item\(s\)",
        "with those that are there it would have more",
        lambda sent, entries: sent.operation.startswith("update_") and any(not entry.get("id") for entry in entries)),
    Row((*WRITE_PROPERTY, *WRITE_ROOM_TYPE), 422, r"content\.photos", r"\d+\.id is invalid", "a photo named twice",
        lambda sent, entries: any(entry.get("id") for entry in entries)),
    Row((*WRITE_PROPERTY, *WRITE_ROOM_TYPE), 422, r"content\.photos", "has an invalid entry", "nobody's photo",
        lambda sent, entries: any(entry.get("id") for entry in entries)),
    Row((*WRITE_PROPERTY, *WRITE_ROOM_TYPE), 422, r"content\.photos", "has no position after the last",
        "the last place is taken"),
    Row(WRITES, 422, ".*", r"(\d+\.\w+ )?is invalid", "1.0 is a whole number to JSON Schema, but not written as one",
        anywhere(lambda value: isinstance(value, float) and value.is_integer())),
    Row(WRITES, 422, "(overrides|auto_rate_settings)", "is invalid", "U+0000 in a text deep inside",
        anywhere(lambda value: isinstance(value, str) and "\0" in value)),
    Row(WRITE_ROOM_TYPE, 422, "default_occupancy", r"must be less than or equal to \d+", "more than `occ_adults`"),
]


# What is not kept of a title, as Unicode has it.
WHITE_SPACE = "\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def trimmed(fields):
    """What is judged of a body: a title without white space around it, which its `maxLength` counts."""
    if isinstance(fields, dict) and isinstance(fields.get("title"), str):
        return fields | {"title": fields["title"].strip(WHITE_SPACE)}
    return fields


def is_permitted(sent, status, details):
    """True where every part of a refusal stands in the table."""
    rows = [row for row in ROWS if sent.operation in row.operations and row.status == status]
    if status == 422:
        messages = list(in_lines(details))
        return bool(messages) and all(any(stands(row, sent, *line) for row in rows) for line in messages)
    if status == 400:
        return any(row.what == details for row in rows)
    return any(row.judge(sent, None) for row in rows)


def stands(row, sent, way, message):
    return bool(
        re.fullmatch(row.what, way) and re.fullmatch(row.message, message) and row.judge(sent, sent.at(way))
    )


def in_lines(details, way=""):
    """Each message of a 422 with the way to its field."""
    for name, inside in details.items():
        if isinstance(inside, dict):
            yield from in_lines(inside, f"{way}{name}.")
        else:
            yield from ((way + name, message) for message in inside)
