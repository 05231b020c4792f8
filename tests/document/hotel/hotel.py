"""Sets up a whole hotel, reads it back, changes it and takes it away again, through the generated Python client.

    hotel.py http://127.0.0.1:8080/api/v1 KEY     with the generated package `generated` on the path
"""

import sys

from generated import AuthenticatedClient
from generated.api.group_users import invite_group_user, list_group_users, read_group_user, update_group_user
from generated.api.group_users import withdraw_group_user
from generated.api.groups import add_property_to_group, create_group, delete_group, list_groups, read_group
from generated.api.groups import remove_property_from_group, update_group
from generated.api.hotel_policies import create_hotel_policy, delete_hotel_policy, list_hotel_policies
from generated.api.hotel_policies import read_hotel_policy, update_hotel_policy
from generated.api.photos import create_photo, delete_photo, list_photos, read_photo, update_photo
from generated.api.properties import create_property, delete_property, list_properties, property_options
from generated.api.properties import read_property, update_property
from generated.api.property_users import invite_property_user, list_property_users, read_property_user
from generated.api.property_users import update_property_user, withdraw_property_user
from generated.api.rate_plans import create_rate_plan, delete_rate_plan, list_rate_plans, rate_plan_options
from generated.api.rate_plans import read_rate_plan, update_rate_plan
from generated.api.room_types import create_room_type, delete_room_type, list_room_types, read_room_type
from generated.api.room_types import room_type_options, update_room_type
from generated.api.tax_sets import create_tax_set, delete_tax_set, list_tax_sets, read_tax_set, update_tax_set
from generated.api.taxes import create_tax, delete_tax, list_taxes, read_tax, update_tax
from generated.models import (
    Error,
    GroupCreate,
    GroupUpdate,
    GroupUserCreate,
    GroupUserUpdate,
    HotelPolicyCreate,
    HotelPolicyUpdate,
    ListRatePlansOrdertitle,
    PhotoCreate,
    PhotoUpdate,
    PropertyCreate,
    PropertyUpdate,
    PropertyUserCreate,
    PropertyUserUpdate,
    RatePlanCreate,
    RatePlanUpdate,
    RoomTypeCreate,
    RoomTypeUpdate,
    TaxCreate,
    TaxSetCreate,
    TaxSetUpdate,
    TaxUpdate,
)

address, key = sys.argv[1:]
client = AuthenticatedClient(
    base_url=address,
    token=key,
    prefix="",
    auth_header_name="user-api-key",
    raise_on_unexpected_status=True,
    httpx_args={"trust_env": False},
)


def send(operation, *path, refused=False, **arguments):
    """The `data` of an operation's answer, or the error where it must be refused."""
    answer = operation.sync(*path, client=client, **arguments)
    assert isinstance(answer, Error) == refused, answer
    return answer.errors if refused else getattr(answer, "data", answer)


# --- Set it up -------------------------------------------------------------------------------------------------------

group = send(create_group, body=GroupCreate.from_dict({"group": {"title": "Python houses"}}))
hotel = send(create_property, body=PropertyCreate.from_dict({"property": {
    "title": "Casa da Serpente", "currency": "EUR", "country": "PT", "city": "Faro", "timezone": "Europe/Lisbon",
    "latitude": "37.0161000", "longitude": "-7.9350000", "group_id": str(group.id),
    "settings": {"min_price": "40.00", "state_length": 365},
    "content": {"description": "Twelve rooms.", "photos": [{"url": "https://serpente.example/front.jpg"}]},
}}))


def new_room(title, **fields):
    return send(create_room_type, body=RoomTypeCreate.from_dict({"room_type": {
        "property_id": str(hotel.id), "title": title, "count_of_rooms": 6, "occ_adults": 2, "occ_children": 0,
        "occ_infants": 1, **fields,
    }}))


def new_plan(room, title, **fields):
    return send(create_rate_plan, body=RatePlanCreate.from_dict({"rate_plan": {
        "property_id": str(hotel.id), "room_type_id": str(room.id), "title": title,
        "options": [{"occupancy": 2, "is_primary": True, "rate": "84.00"}], **fields,
    }}))


double, dorm = new_room("Double"), new_room("Dormitory", room_kind="dorm", capacity=8, occ_adults=8)
flexible = new_plan(double, "Flexible", meal_type="breakfast", children_fee=1250)
per_person = new_plan(double, "Per person", sell_mode="per_person", options=[
    {"occupancy": 2, "is_primary": True, "rate": 8400}, {"occupancy": 1, "is_primary": False, "rate": "66"},
])
bed = new_plan(dorm, "Bed")
derived = new_plan(double, "Non-refundable", parent_rate_plan_id=str(flexible.id), rate_mode="derived", options=[
    {"occupancy": 2, "is_primary": True,
     "derived_option": {"rate": [["decrease_by_percent", "10"], ["increase_by_amount", "4.50"]]}},
])
desk = send(invite_property_user, body=PropertyUserCreate.from_dict(
    {"invite": {"property_id": str(hotel.id), "user_email": "desk@serpente.example", "role": "user"}}))
office = send(invite_group_user, body=GroupUserCreate.from_dict(
    {"invite": {"group_id": str(group.id), "user_email": "office@serpente.example", "role": "owner"}}))


def new_tax(title, **fields):
    return send(create_tax, body=TaxCreate.from_dict({"tax": {
        "property_id": str(hotel.id), "title": title, "logic": "percent", "type": "tax", "rate": "6",
        "is_inclusive": True, **fields,
    }}))


vat = new_tax("VAT 6")
city = new_tax("City tax", type="city tax", logic="per_person_per_night", rate=200, currency="EUR", is_inclusive=False,
               applicable_after="2027-04-01", applicable_before="2027-10-31", max_nights=7)
taxes = send(create_tax_set, body=TaxSetCreate.from_dict({"tax_set": {
    "property_id": str(hotel.id), "title": "Standard", "currency": "EUR",
    "taxes": [{"id": str(city.id), "taxes": [{"id": str(vat.id)}]}, {"id": str(vat.id)}],
}}))
rules = {
    "title": "House rules", "currency": "EUR", "max_count_of_guests": 24, "checkin_time": "15:00",
    "checkout_time": "11:00", "internet_access_type": "wifi", "internet_access_coverage": "all_rooms",
    "parking_type": "nearby", "parking_reservation": "not_needed", "parking_is_private": False,
    "pets_policy": "by_arrangements", "pets_non_refundable_fee": "12.5", "pets_refundable_deposit": 5000,
    "smoking_policy": "no_smoking",
}
policy = send(create_hotel_policy,
              body=HotelPolicyCreate.from_dict({"hotel_policy": {"property_id": str(hotel.id), **rules}}))
everywhere = send(create_hotel_policy, body=HotelPolicyCreate.from_dict({"hotel_policy": rules}))
photo = send(create_photo, body=PhotoCreate.from_dict({"photo": {
    "property_id": str(hotel.id), "room_type_id": str(double.id), "url": "https://serpente.example/double.jpg",
}}))

# --- Read it back ----------------------------------------------------------------------------------------------------

assert send(read_property, hotel.id).attributes.settings.min_price == "40.00"
assert send(read_property, hotel.id).attributes.content.photos[0].url == "https://serpente.example/front.jpg"
assert send(read_group, group.id).relationships.properties.data[0].id == hotel.id
assert send(read_room_type, dorm.id).attributes.capacity == 8
assert send(read_rate_plan, flexible.id).attributes.children_fee == "12.50"
read = send(read_rate_plan, derived.id).attributes
assert read.parent_rate_plan_id == flexible.id and read.inherit_rate
assert read.options[0].derived_option.rate == [["decrease_by_percent", "10"], ["increase_by_amount", "4.50"]]
assert send(read_property_user, desk.id).relationships.user.data.email == "desk@serpente.example"
assert send(read_group_user, office.id).attributes.role == "owner"
assert send(read_tax, city.id).attributes.rate == "2.00"
assert send(read_tax, city.id).attributes.applicable_before.isoformat() == "2027-10-31"
of_set = send(read_tax_set, taxes.id).attributes.taxes
assert [one.title for one in of_set] == ["City tax", "VAT 6"]
assert (of_set[0].taxes[0].id, of_set[0].taxes[0].rate, of_set[0].taxes[0].taxes) == (vat.id, "6.00", [])
read = send(read_hotel_policy, policy.id)
assert (read.attributes.pets_refundable_deposit, read.attributes.checkin_time) == ("50.00", "15:00")
assert read.relationships.property_.data.id == hotel.id and read.attributes.internet_access_cost is None
assert send(read_hotel_policy, everywhere.id).relationships.property_.data is None
assert send(read_photo, photo.id).attributes.room_type_id == double.id

of_hotel = str(hotel.id)
assert [one.id for one in send(list_properties, filterid=of_hotel)] == [hotel.id]
assert [one.id for one in send(list_room_types, filterproperty_id=of_hotel)] == [dorm.id, double.id]
plans = send(list_rate_plans, filterproperty_id=of_hotel, ordertitle=ListRatePlansOrdertitle.DESC, paginationlimit=3)
assert [one.attributes.title for one in plans] == ["Per person", "Non-refundable", "Flexible"]
assert [one.id for one in send(property_options, filterid=of_hotel)] == [hotel.id]
assert len(send(room_type_options, filterproperty_id=of_hotel)) == 2
assert len(send(rate_plan_options, filterproperty_id=of_hotel)) == 4
assert group.id in [one.id for one in send(list_groups)]
assert desk.id in [one.id for one in send(list_property_users, filterproperty_id=of_hotel)]
assert office.id in [one.id for one in send(list_group_users, filtergroup_id=str(group.id))]
assert [one.id for one in send(list_taxes, filterproperty_id=of_hotel)] == [city.id, vat.id]
assert [one.id for one in send(list_tax_sets, filterproperty_id=of_hotel, paginationlimit=1)] == [taxes.id]
assert [one.id for one in send(list_hotel_policies, filterproperty_id=of_hotel)] == [policy.id]
assert [one.attributes.url for one in send(list_photos, filterproperty_id=of_hotel)] == [
    "https://serpente.example/front.jpg", "https://serpente.example/double.jpg"]

# --- Change it -------------------------------------------------------------------------------------------------------

changed = send(update_property, hotel.id, body=PropertyUpdate.from_dict({"property": {"city": "Olhão"}}))
assert changed.attributes.city == "Olhão" and changed.attributes.country == "PT"
changed = send(update_group, group.id, body=GroupUpdate.from_dict({"group": {"title": "Snakes"}}))
assert changed.attributes.title == "Snakes"
changed = send(update_room_type, double.id, body=RoomTypeUpdate.from_dict({"room_type": {"count_of_rooms": 7}}))
assert changed.attributes.count_of_rooms == 7 and changed.attributes.title == "Double"
changed = send(update_rate_plan, derived.id, body=RatePlanUpdate.from_dict({"rate_plan": {"title": "Early"}}))
assert changed.attributes.title == "Early" and changed.attributes.parent_rate_plan_id == flexible.id
changed = send(update_property_user, desk.id, body=PropertyUserUpdate.from_dict(
    {"property_user": {"role": "owner", "overrides": {"prices": "read"}}}))
assert changed.attributes.overrides["prices"] == "read"
changed = send(update_group_user, office.id, body=GroupUserUpdate.from_dict({"group_user": {"role": "user"}}))
assert changed.attributes.role == "user"
changed = send(update_tax, vat.id, body=TaxUpdate.from_dict({"tax": {"rate": "13.5"}}))
assert changed.attributes.rate == "13.50" and changed.attributes.title == "VAT 6"
changed = send(update_tax_set, taxes.id, body=TaxSetUpdate.from_dict({"tax_set": {"taxes": [{"id": str(vat.id)}]}}))
assert [one.rate for one in changed.attributes.taxes] == ["13.50"]
changed = send(update_hotel_policy, policy.id,
               body=HotelPolicyUpdate.from_dict({"hotel_policy": {"internet_access_cost": "3"}}))
assert changed.attributes.internet_access_cost == "3.00" and changed.attributes.max_count_of_guests == 24
changed = send(update_photo, photo.id, body=PhotoUpdate.from_dict({"photo": {"room_type_id": None, "position": 1}}))
assert changed.attributes.room_type_id is None
assert [one.id for one in send(read_property, hotel.id).attributes.content.photos][1] == photo.id
refusal = send(create_room_type, refused=True, body=RoomTypeCreate.from_dict({"room_type": {
    "property_id": str(hotel.id), "title": " ", "count_of_rooms": 0, "occ_adults": 1, "occ_children": 0,
    "occ_infants": 0,
}}))
assert refusal.code == "validation_error"
assert refusal.details.to_dict() == {"title": ["can't be blank"], "count_of_rooms": ["must be greater than 0"]}

# --- Take it away ----------------------------------------------------------------------------------------------------

other = send(create_group, body=GroupCreate.from_dict({"group": {"title": "Other Python houses"}}))
send(add_property_to_group, other.id, hotel.id)
send(remove_property_from_group, group.id, hotel.id)
send(withdraw_group_user, office.id)
send(withdraw_property_user, desk.id)
send(delete_photo, photo.id)
for one in (policy, everywhere):
    send(delete_hotel_policy, one.id)
send(delete_tax_set, taxes.id)
send(delete_tax, city.id)
for plan in (derived, flexible, per_person, bed):
    send(delete_rate_plan, plan.id)
for room in (double, dorm):
    send(delete_room_type, room.id)
send(delete_property, hotel.id)
for one in (group, other):
    send(delete_group, one.id)
assert send(read_property, hotel.id, refused=True).code == "not_found"
assert send(list_room_types, filterproperty_id=of_hotel) == []
assert send(read_tax, vat.id, refused=True).code == "not_found"
print("The hotel was set up, read back, changed and taken away.")
