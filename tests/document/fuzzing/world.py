"""What exists on the server while it is fuzzed, so that requests can name it."""

import itertools
import re

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# The kind of what `{id}` of a path names.
KINDS = {
    "/properties/": "property",
    "/groups/": "group",
    "/property_users/": "property_user",
    "/group_users/": "group_user",
    "/room_types/": "room_type",
    "/rate_plans/": "rate_plan",
    "/taxes/": "tax",
    "/tax_sets/": "tax_set",
    "/hotel_policies/": "hotel_policy",
    "/photos/": "photo",
}

# The path of a collection by its kind.
PATHS = {kind: path.rstrip("/") for path, kind in KINDS.items()}

ROOMS = {"title": "Double", "count_of_rooms": 1, "occ_adults": 2, "occ_children": 0, "occ_infants": 0}
PLAN = {"options": [{"occupancy": 2, "is_primary": True, "rate": "100"}]}
TAX = {"title": "VAT", "logic": "percent", "type": "tax", "rate": "6", "is_inclusive": True}
POLICY = {
    "title": "House rules", "currency": "EUR", "max_count_of_guests": 4, "checkin_time": "15:00",
    "checkout_time": "11:00", "internet_access_type": "wifi", "internet_access_coverage": "all_rooms",
    "parking_type": "none", "parking_reservation": "not_needed", "parking_is_private": False,
    "pets_policy": "allowed", "pets_non_refundable_fee": "0", "pets_refundable_deposit": "0",
    "smoking_policy": "no_smoking",
}

# What requests make so much of that a property, or the account, would be full of it.
MANY = ("tax", "tax_set", "hotel_policy", "photo")
ENOUGH = 50

# What goes with a resource. A group takes nothing else: only an empty one is removed.
PARTS = {
    "property": ("room_type", "rate_plan", "property_user", "tax", "tax_set", "hotel_policy", "photo"),
    "room_type": ("rate_plan", "photo"),
    "group": ("group_user",),
}


class World:
    """Ids in existence. What requests make and remove is noted by `note`."""

    def __init__(self, program, random):
        self.program = program
        self.random = random
        self.numbers = itertools.count(1)
        self.facilities = {
            kind: [facility["id"] for facility in program.ask("GET", path)["data"]]
            for kind, path in (("property", "/property_facilities/options"), ("room_type", "/room_facilities/options"))
        }
        # Ids in existence by kind, each with the property it belongs to.
        self.alive = {kind: {} for kind in PATHS}
        # What no request removes, and what requests name.
        self.lasting = {kind: [] for kind in PATHS}
        for kind in PATHS:
            self.refresh(kind)
        # Where things are made to be removed: what requests name may be full.
        self.aside = self.make("property")
        self.make("tax")
        for currency in ("EUR", "JPY", "KWD"):
            hotel = self.make("property", currency=currency)
            room = self.make("room_type", property_id=hotel)
            plan = self.make("rate_plan", property_id=hotel, room_type_id=room)
            child = self.make("rate_plan", property_id=hotel, room_type_id=room, parent_rate_plan_id=plan)
            user, group = self.make("property_user", property_id=hotel), self.make("group")
            member = self.make("group_user", group_id=group)
            taxes = [self.make("tax", property_id=hotel) for _ in range(3)]
            made = {"property": [hotel], "room_type": [room], "rate_plan": [plan, child], "property_user": [user],
                    "group": [group], "group_user": [member], "tax": taxes,
                    "tax_set": [self.make("tax_set", property_id=hotel)],
                    "hotel_policy": [self.make("hotel_policy", property_id=hotel, currency=currency)],
                    "photo": [self.make("photo", property_id=hotel),
                              self.make("photo", property_id=hotel, room_type_id=room)]}
            for kind, ids in made.items():
                self.lasting[kind] += ids

    def make(self, kind, **fields):
        """The id of a new resource."""
        number = next(self.numbers)
        match kind:
            case "property":
                fields = {"title": f"Hotel {number}", "currency": "EUR"} | fields
            case "group":
                fields = {"title": f"Group {number}"} | fields
            case "room_type":
                fields = ROOMS | (fields or {"property_id": self.pick("property")})
            case "rate_plan":
                if "room_type_id" not in fields:
                    room = self.pick("room_type")
                    fields = {"room_type_id": room, "property_id": self.alive["room_type"][room]} | fields
                fields = PLAN | {"title": f"Plan {number}"} | fields
            case "tax":
                fields = TAX | {"property_id": self.aside} | fields
            case "tax_set":
                fields = {"title": "Standard", "currency": "EUR", "property_id": self.aside} | fields
                fields["taxes"] = [{"id": self.of("tax", fields["property_id"])[0]}]
            case "hotel_policy":
                fields = POLICY | {"property_id": self.aside} | fields
            case "photo":
                fields = {"url": f"https://latchkey.example/{number}.jpg", "property_id": self.aside} | fields
            case "property_user" | "group_user":
                parent = kind.removesuffix("_user")
                if not fields:
                    fields = {f"{parent}_id": self.pick(parent)}
                fields = {"user_email": f"guest{number}@latchkey.example", "role": "owner"} | fields
        key = "invite" if kind.endswith("_user") else kind
        resource = self.program.ask("POST", PATHS[kind], {key: fields}, 201)["data"]
        self.keep(kind, resource)
        return resource["id"]

    def pick(self, kind):
        """One of those that stay, mostly the first: its currency is that of the document's examples."""
        ids = self.lasting[kind]
        return ids[0] if self.random.random() < 0.7 else self.random.choice(ids)

    def of(self, kind, hotel):
        """Those that belong to a property, the first first."""
        return [id for id, parent in self.alive[kind].items() if parent == hotel]

    def exists(self, kind, id):
        return isinstance(id, str) and id.lower() in self.alive[kind]

    def keep(self, kind, resource):
        related = resource.get("relationships", {}).get("property", {}).get("data") or {}
        # A photo has its property among its attributes; a policy may have none.
        self.alive[kind][resource["id"]] = related.get("id") or resource["attributes"].get("property_id")

    def place_of_plan(self, id):
        """The property and the room type of a rate plan, where there is such a plan."""
        if id not in self.alive["rate_plan"]:
            return None
        related = self.program.ask("GET", f"/rate_plans/{id}")["data"]["relationships"]
        return related["property"]["data"]["id"], related["room_type"]["data"]["id"]

    def attributes(self, kind, id):
        """What is there; empty where nothing is."""
        return self.program.ask("GET", f"{PATHS[kind]}/{id}")["data"]["attributes"] if self.exists(kind, id) else {}

    def photos(self, hotel, room):
        """The photos of a room type, or without one those of the property itself."""
        query = f"filter[property_id]={hotel}&filter[room_type_id]={room or ''}"
        return [photo["attributes"] for photo in self.program.ask("GET", f"/photos?{query}")["data"]]

    def count(self, kind, hotel):
        """How many a property has, or without one the account."""
        query = f"filter[property_id]={hotel or ''}&pagination[limit]=1"
        return self.program.ask("GET", f"{PATHS[kind]}?{query}")["meta"]["total"]

    def is_outside(self, path):
        """True where a group does not hold a property."""
        group = self.program.ask("GET", f"/groups/{path['group_id']}")["data"]
        held = [hotel["id"] for hotel in group["relationships"]["properties"]["data"]]
        return path["property_id"].lower() not in held

    def note(self, method, path, path_arguments, answer):
        """What a request has made or removed."""
        kind = KINDS.get(f"/{path.split('/')[1]}/")
        if kind is None or path.startswith("/groups/{group_id}"):
            return
        if method == "POST" and answer.status_code == 201:
            resource = answer.json()["data"]
            self.keep(kind, resource)
            self.make_room(kind, self.alive[kind][resource["id"]])
        elif method == "DELETE" and answer.status_code == 200:
            self.forget(kind, str(path_arguments.get("id", "")).lower())

    def make_room(self, kind, hotel):
        """Removes what was made first of those that need not stay."""
        made = [id for id in self.of(kind, hotel) if id not in self.lasting[kind]]
        if kind in MANY and len(made) > ENOUGH:
            self.program.ask("DELETE", f"{PATHS[kind]}/{made[0]}")
            self.forget(kind, made[0])

    def forget(self, kind, id):
        self.alive[kind].pop(id, None)
        # What went with it is asked again, as requests may have changed it.
        for part in PARTS.get(kind, ()):
            self.refresh(part)
        for ids in self.lasting.values():
            ids[:] = [id for id in ids if any(id in alive for alive in self.alive.values())]

    def refresh(self, kind):
        found = []
        for page in itertools.count(1):
            answer = self.program.ask("GET", f"{PATHS[kind]}?pagination[limit]=100&pagination[page]={page}")
            found += answer["data"]
            if page * 100 >= answer["meta"]["total"]:
                break
        self.alive[kind].clear()
        for resource in found:
            self.keep(kind, resource)
