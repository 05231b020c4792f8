"""Every field of every schema is written with two values, by create and by update, and read back.

The first values are the document's examples, which must hold every field. The others stand in `OTHERS`; where an
update of one field needs another one first, they stand in that order.
"""

import copy

import pytest
from client import Client
from document import resolved

OTHERS = {
    "property": {
        "title": "Pousada da Ria", "currency": "chf", "is_active": False, "email": "info@ria.example",
        "phone": "(289) 10-20", "zip_code": "8800-334", "country": "es", "state": "Huelva", "city": "Tavira",
        "address": "Cais 2", "longitude": -7.65, "latitude": 37.125, "timezone": "Europe/Madrid",
        "facilities": ["a facility", "another facility"], "property_type": "hostel", "group_id": "another group",
        "settings": {
            "allow_availability_autoupdate_on_confirmation": False,
            "allow_availability_autoupdate_on_modification": False,
            "allow_availability_autoupdate_on_cancellation": True,
            "allow_availability_autoupdate": False,
            "min_stay_type": "through", "min_price": 100, "max_price": "1200.5", "state_length": 730,
        },
        "content": {
            "description": "Two\nlines.", "important_information": "Cash only.",
            "photos": [{"url": "http://ria.example/menu.png?page=1", "position": 7, "description": "Menu",
                        "author": "João", "kind": "menu"}],
        },
        "logo_url": "https://ria.example/logo.png",
    },
    "group": {"title": "Ria houses"},
    "property_user": {"property_id": "the other property", "user_email": "ana@ria.example", "role": "owner",
                      "overrides": {"prices": ["read"]}},
    "group_user": {"group_id": "another group", "user_email": "ana@ria.example", "role": "owner",
                   "overrides": {"prices": ["read"]}},
    "room_type": {
        "property_id": "the other property", "title": "Dormitory", "count_of_rooms": 2, "occ_adults": 8,
        "occ_children": 2, "occ_infants": 0, "default_occupancy": 1, "facilities": [], "room_kind": "dorm",
        "capacity": 8,
        "content": {"description": "Bunks.", "photos": [{"url": "http://ria.example/bunks.png", "position": 3,
                                                         "description": "Bunks", "author": "Ana", "kind": "ad"}]},
    },
    "rate_plan": {
        "title": "Rack", "property_id": "the other property", "room_type_id": "the other room type",
        "parent_rate_plan_id": "another parent", "sell_mode": "per_room", "meal_type": "full_board",
        "auto_rate_settings": {"increase_mode": "$", "increase_value": "12.50", "decrease_mode": "%",
                               "decrease_value": 5},
        "rate_mode": "auto", "currency": "usd",
        "options": [{"occupancy": 3, "is_primary": False, "rate": 12345, "derived_option": None},
                    {"occupancy": 1, "is_primary": True, "rate": "80.5", "derived_option":
                     {"rate": [["increase_by_percent", "2.5"]], "min_stay_arrival": [["increase_by_amount", 1]]}}],
        "inherit_rate": False, "inherit_closed_to_arrival": False, "inherit_closed_to_departure": False,
        "inherit_stop_sell": False, "inherit_min_stay_arrival": False, "inherit_min_stay_through": False,
        "inherit_max_stay": False, "inherit_max_sell": True, "inherit_max_availability": True,
        "inherit_availability_offset": True, "children_fee": 333, "infant_fee": "4",
    },
    "tax": {
        "property_id": "the other property", "title": "Kurtaxe", "currency": "chf", "logic": "per_person_per_night",
        "type": "city tax", "rate": 450, "is_inclusive": False, "applicable_after": "2028-02-29",
        "applicable_before": "2028-10-31", "max_nights": 21, "skip_nights": 0,
    },
    "tax_set": {
        "property_id": "the other property", "title": "Reduced", "currency": "chf",
        "taxes": [{"id": "a tax", "taxes": [{"id": "a tax on it", "taxes": []}]}],
    },
    "hotel_policy": {
        # It belongs to no property, but to the account.
        "property_id": None, "title": "Hostel rules", "currency": "chf", "is_adults_only": False,
        "max_count_of_guests": 80, "checkin_time": "00:00", "checkout_time": "23:59",
        "internet_access_type": "wired", "internet_access_coverage": "business_centre", "internet_access_cost": 450,
        "parking_type": "none", "parking_reservation": "needed", "parking_is_private": True,
        "pets_policy": "by_arrangements", "pets_non_refundable_fee": 0, "pets_refundable_deposit": "75.5",
        "smoking_policy": "permitted_areas_only",
    },
    "photo": {
        "property_id": "the other property", "room_type_id": "the other room type",
        "url": "http://ria.example/menu.png?page=1", "kind": "menu", "author": "João", "description": "Two\nlines.",
        "position": 7,
    },
}

PLURALS = {"property": "properties", "tax": "taxes", "hotel_policy": "hotel_policies"}

# The old switch sets the three that the same body leaves out.
OLD_SWITCH = "allow_availability_autoupdate"
SWITCHES = [f"{OLD_SWITCH}_on_{what}" for what in ("confirmation", "modification", "cancellation")]


@pytest.fixture(scope="module")
def client(program, document):
    return Client(program, document)


@pytest.fixture(scope="module")
def ids(client):
    """What the words of examples and `OTHERS` stand for: (field, example or other) → an id that exists."""
    group, other_group = (client.call("create_group", {"group": {"title": title}})["data"]["id"] for title in "AB")
    hotel = {"currency": "EUR", "group_id": group}
    first, other = (client.call("create_property", {"property": {"title": title, **hotel}})["data"]["id"]
                    for title in "AB")
    rooms = {"title": "Twin", "count_of_rooms": 1, "occ_adults": 2, "occ_children": 0, "occ_infants": 0}
    room, other_room = (client.call("create_room_type", {"room_type": {**rooms, "property_id": id}})["data"]["id"]
                        for id in (first, other))
    plan = {"options": [{"occupancy": 2, "is_primary": True, "rate": "100"}]}
    parent, sibling, elsewhere = (
        client.call("create_rate_plan", {"rate_plan": {**plan, "title": title, "property_id": property,
                                                       "room_type_id": type}})["data"]["id"]
        for title, property, type in (("A", first, room), ("B", first, room), ("C", other, other_room)))
    tax = {"title": "VAT", "logic": "percent", "type": "tax", "rate": "6.00", "is_inclusive": True}
    first_tax, other_tax, on_first, on_other = (
        client.call("create_tax", {"tax": {**tax, "property_id": id}})["data"]["id"]
        for id in (first, other, first, other))
    catalogue = client.call("property_facilities_options")["data"]
    return {
        "first": {"group_id": group, "property_id": first, "room_type_id": room, "parent_rate_plan_id": parent,
                  "taxes": [{"id": first_tax, "taxes": []}]},
        "other": {"group_id": other_group, "property_id": other, "room_type_id": other_room,
                  "parent_rate_plan_id": elsewhere,
                  "taxes": [{"id": other_tax, "taxes": [{"id": on_other, "taxes": []}]}]},
        # What an update may name that leaves a resource at the first property.
        "moved": {
            "rate_plan": {"room_type_id": room, "parent_rate_plan_id": sibling},
            "tax_set": {"taxes": [{"id": on_first, "taxes": [{"id": first_tax, "taxes": []}]}]},
            "photo": {"room_type_id": room},
        },
        "facilities": [facility["id"] for facility in catalogue[3:5]],
    }


def made_valid(fields, ids, which):
    """The same body with ids that exist."""
    body = copy.deepcopy(fields)
    if "currency" in body and "settings" in body:
        # The example of a property can be sent by everybody, so it names no group.
        body.setdefault("group_id", "a group")
    body.update({name: id for name, id in ids[which].items() if body.get(name)})
    if body.get("facilities") and which == "other":
        body["facilities"] = ids["facilities"]
    return body


def create_name(client, name):
    return f"invite_{name}" if f"invite_{name}" in client.operations else f"create_{name}"


def lacking(client, schema, value, way):
    """The fields of a schema that a value lacks, inside objects and lists too."""
    schema = resolved(client.document, schema)
    if isinstance(value, list):
        for entry in value:
            kinds = schema["items"].get("anyOf", [schema["items"]])
            yield from lacking(client, kinds[0], entry, f"{way}[]")
    elif isinstance(value, dict):
        for field, inside in schema.get("properties", {}).items():
            if inside.get("type") == "null" or {"const": False} in inside.get("anyOf", []):
                continue
            # The keys of these are examples by themselves.
            if field not in value:
                yield f"{way}.{field}"
            elif field not in ("derived_option", "auto_rate_settings"):
                yield from lacking(client, inside, value[field], f"{way}.{field}")


@pytest.mark.parametrize("name", OTHERS)
def test_examples_and_other_values_hold_every_field_and_differ(client, name):
    operation = create_name(client, name)
    key, schema = client.body_schema(operation)
    example = client.body_example(operation)[key]
    assert not [way for way in lacking(client, schema, example, name) if way != "property.group_id"]
    assert not [*lacking(client, schema, OTHERS[name], name)]
    for way, value in leaves(OTHERS[name]):
        assert way == ("group_id",) or value != at(example, way), f"{name}: {way} has one value only"


def leaves(fields, way=()):
    """Every field by its way, inside `settings` and `content` too."""
    for field, value in fields.items():
        if field in ("settings", "content"):
            yield from leaves(value, (*way, field))
        else:
            yield (*way, field), value


def at(fields, way):
    for step in way:
        fields = fields[step]
    return fields


AMOUNTS = ("min_price", "max_price", "children_fee", "infant_fee", "rate", "internet_access_cost",
           "pets_non_refundable_fee", "pets_refundable_deposit")


def money(value, currency):
    """As answers write it; every currency here has two decimals, and a percentage has too."""
    assert currency in ("EUR", "CHF", "USD", None)
    return f"{value / 100:.2f}" if isinstance(value, int) else f"{float(value):.2f}"


def expected(field, value, currency):
    """What answers show of a value that was sent."""
    if value is None:
        return None
    if field in ("currency", "country"):
        return value.upper()
    if field in ("longitude", "latitude"):
        return str(value)
    if field in AMOUNTS:
        return money(value, currency)
    if field == "options":
        return [{inside: expected(inside, part, currency) for inside, part in entry.items()} for entry in value]
    return value


def shown(resource, way):
    """Where a resource shows a field."""
    relations = resource.get("relationships", {})
    match way[-1]:
        case "group_id" if "groups" in relations:
            return [group["id"] for group in relations["groups"]["data"]]
        case "facilities":
            return [facility["id"] for facility in relations["facilities"]["data"]]
        case "property_id" if "property" in relations:
            return (relations["property"]["data"] or {"id": None})["id"]
        case "room_type_id" if "room_type" in relations:
            return relations["room_type"]["data"]["id"]
        case "user_email":
            return relations["user"]["data"]["email"]
    return at(resource["attributes"], way)


def same(resource, way, value):
    """Asserts that a resource shows what was sent."""
    found, field = shown(resource, way), way[-1]
    if field == "parent_rate_plan_id":
        assert resource["relationships"]["parent_rate_plan"]["data"] == {"type": "rate_plan", "id": value}
    if field == "photos":
        assert len(found) == len(value)
        for photo, entry in zip(found, value):
            defaults = {"position": 0, "kind": "photo", "description": None, "author": None}
            for name in ("url", "position", "kind", "description", "author"):
                assert photo[name] == entry.get(name, defaults.get(name)), (name, photo)
    elif field == "group_id" and isinstance(found, list):
        assert found == [value]
    else:
        if field == "options":
            ids = [option["id"] for option in found]
            assert all(ids) and len(set(ids)) == len(ids)
            found = [{name: inside for name, inside in option.items() if name != "id"} for option in found]
        if field == "taxes":
            found = only_ids(found)
        if field == "pets_refundable_deposit":
            assert resource["attributes"]["refundable_deposit"] == found, "its other name says otherwise"
        assert found == expected(field, value, resource["attributes"].get("currency")), way


def only_ids(taxes):
    """The taxes of a set as they are sent: answers show all that is known of each."""
    return [{"id": tax["id"], "taxes": only_ids(tax["taxes"])} for tax in taxes]


def read(client, name, id):
    resource = client.call(f"read_{name}", id=id)["data"]
    plural = PLURALS.get(name, f"{name}s")
    listed = [one for one in client.call(f"list_{plural}", query={"pagination[limit]": 100})["data"] if one["id"] == id]
    assert listed == [resource], "a list shows it otherwise"
    return resource


@pytest.mark.parametrize("which", ["first", "other"])
@pytest.mark.parametrize("name", OTHERS)
def test_every_field_of_a_create_is_read_back(client, ids, name, which):
    operation = create_name(client, name)
    key, _ = client.body_schema(operation)
    fields = made_valid(client.body_example(operation)[key] if which == "first" else OTHERS[name], ids, which)
    made = client.call(operation, {key: fields})["data"]
    resource = read(client, name, made["id"])
    assert made == resource
    for way, value in leaves(fields):
        if way[-1] != OLD_SWITCH:
            same(resource, way, value)
    remove(client, name, made["id"])


def remove(client, name, id):
    verb = "withdraw" if f"withdraw_{name}" in client.operations else "delete"
    client.call(f"{verb}_{name}", id=id)
    client.call(f"read_{name}", id=id, status=404)


@pytest.mark.parametrize("name", OTHERS)
def test_every_field_of_an_update_is_read_back_and_changes_nothing_else(client, ids, name):
    operation = create_name(client, name)
    create_key, _ = client.body_schema(operation)
    key, schema = client.body_schema(f"update_{name}")
    fields = made_valid(client.body_example(operation)[create_key], ids, "first")
    if name in ("property_user", "group_user"):
        fields["user_email"] = "updated@ria.example"
    id = client.call(operation, {create_key: fields})["data"]["id"]
    others = made_valid(OTHERS[name], ids, "other")
    if "property_id" in others:
        # It stays where it is, and so does what it names.
        others |= {"property_id": fields["property_id"], **ids["moved"].get(name, {})}
    known = {way for way, _ in leaves(others) if at_or_none(schema, way)}
    assert not [*lacking_ways(client, schema, known)], "not every field of the update has another value"
    for way, value in leaves(others):
        if way not in known:
            continue
        before = read(client, name, id)
        if way[-1] == "photos":
            change_photos(client, name, key, id, value)
            continue
        body = {key: value}
        for step in reversed(way):
            body[key] = {step: body[key]}
        after = client.call(f"update_{name}", body, id=id)["data"]
        assert read(client, name, id) == after
        if way[-1] == OLD_SWITCH:
            assert [after["attributes"]["settings"][switch] for switch in SWITCHES] == [value] * 3
            continue
        same(after, way, value)
        assert without(before, way) == without(after, way), f"{way} changes something else"
    remove(client, name, id)


def at_or_none(schema, way):
    for step in way:
        schema = schema["properties"].get(step)
        if schema is None:
            return None
    return schema


def lacking_ways(client, schema, known, way=()):
    for field, inside in schema["properties"].items():
        if field in ("settings", "content"):
            yield from lacking_ways(client, inside, known, (*way, field))
        elif (*way, field) not in known:
            yield (*way, field)


def without(resource, way):
    """The resource without what this field shows."""
    rest = copy.deepcopy(resource)
    inside = at(rest["attributes"], way[:-1])
    if way[-1] in ("facilities", "parent_rate_plan_id"):
        del rest["relationships"][way[-1].removesuffix("_id")]
    if way[-1] in inside:
        del inside[way[-1]]
    if way[-1] == "pets_refundable_deposit":
        del inside["refundable_deposit"]
    return rest


def change_photos(client, name, key, id, entries):
    """Changes the photo that is there field by field, adds one, and removes the first."""
    def photos():
        return read(client, name, id)["attributes"]["content"]["photos"]

    def send(entry):
        client.call(f"update_{name}", {key: {"content": {"photos": [entry]}}}, id=id)

    photo, = photos()
    for field, value in entries[0].items():
        send({"id": photo["id"], field: value})
        photo = {**photo, field: value}
        assert photos() == [photo]
    send({"url": "https://ria.example/second.png"})
    assert [one["position"] for one in photos()] == [photo["position"], photo["position"] + 1]
    send({"id": photo["id"], "is_removed": True})
    assert [one["url"] for one in photos()] == ["https://ria.example/second.png"]


def test_null_brings_back_the_default_that_the_document_names(client, ids):
    for name in OTHERS:
        operation = create_name(client, name)
        key, schema = client.body_schema(operation)
        update_key, update = client.body_schema(f"update_{name}")
        fields = made_valid(OTHERS[name], ids, "other")
        if "user_email" in fields:
            fields["user_email"] = "defaults@ria.example"
        id = client.call(operation, {key: fields})["data"]["id"]
        named = {field: inside["default"] for field, inside in schema["properties"].items()
                 if "default" in inside and "null" in update["properties"].get(field, {}).get("type", [])}
        assert named or name in ("group", "property_user", "group_user", "tax", "tax_set")
        for field, default in named.items():
            after = client.call(f"update_{name}", {update_key: {field: None}}, id=id)["data"]
            assert after["attributes"][field] == default, field
        remove(client, name, id)


def test_lists_can_be_asked_all_that_the_document_says(client):
    for name, (path, method, operation) in client.operations.items():
        for parameter in operation.get("parameters", []):
            parameter = resolved(client.document, parameter)
            if method != "get" or parameter["in"] != "query":
                continue
            words = parameter["schema"].get("enum", ["1"])
            for word in words:
                client.call(name, query={parameter["name"]: word})
        if "order[" in str(operation.get("parameters")):
            client.call(name, query={"filter[foo]": "x"}, status=400)
            client.call(name, query={"order[foo]": "asc"}, status=400)


def test_every_operation_is_called_with_success(client, ids):
    """Those that no test above calls are here. It runs last, as it counts what the others did."""
    hotel, group = ids["first"]["property_id"], ids["other"]["group_id"]
    client.call("add_property_to_group", group_id=group, property_id=hotel)
    client.call("add_property_to_group", group_id=group, property_id=hotel, status=422)
    client.call("remove_property_from_group", group_id=group, property_id=hotel)
    for name in ("property_options", "room_type_options", "rate_plan_options", "room_facilities_options",
                 "property_facilities_options", "list_property_facilities", "list_room_facilities", "read_document",
                 "read_caller"):
        assert client.call(name)
    assert set(client.operations) == client.succeeded
