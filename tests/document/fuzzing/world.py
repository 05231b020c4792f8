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
}

# The path of a collection by its kind.
PATHS = {kind: path.rstrip("/") for path, kind in KINDS.items()}

ROOMS = {"title": "Double", "count_of_rooms": 1, "occ_adults": 2, "occ_children": 0, "occ_infants": 0}
PLAN = {"options": [{"occupancy": 2, "is_primary": True, "rate": "100"}]}


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
        for currency in ("EUR", "JPY", "KWD"):
            hotel = self.make("property", currency=currency)
            room = self.make("room_type", property_id=hotel)
            plan = self.make("rate_plan", property_id=hotel, room_type_id=room)
            child = self.make("rate_plan", property_id=hotel, room_type_id=room, parent_rate_plan_id=plan)
            user, group = self.make("property_user", property_id=hotel), self.make("group")
            member = self.make("group_user", group_id=group)
            made = {"property": [hotel], "room_type": [room], "rate_plan": [plan, child], "property_user": [user],
                    "group": [group], "group_user": [member]}
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

    def exists(self, kind, id):
        return isinstance(id, str) and id.lower() in self.alive[kind]

    def keep(self, kind, resource):
        parent = resource.get("relationships", {}).get("property", {}).get("data", {}).get("id")
        self.alive[kind][resource["id"]] = parent

    def place_of_plan(self, id):
        """The property and the room type of a rate plan, where there is such a plan."""
        if id not in self.alive["rate_plan"]:
            return None
        related = self.program.ask("GET", f"/rate_plans/{id}")["data"]["relationships"]
        return related["property"]["data"]["id"], related["room_type"]["data"]["id"]

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
            self.keep(kind, answer.json()["data"])
        elif method == "DELETE" and answer.status_code == 200:
            self.forget(kind, str(path_arguments.get("id", "")).lower())

    def forget(self, kind, id):
        self.alive[kind].pop(id, None)
        if kind in ("property", "room_type"):
            # Its parts went with it; what they were is asked again, as requests may have changed it.
            for part in ("room_type", "rate_plan", "property_user"):
                self.refresh(part)
        if kind == "group":
            self.refresh("group_user")
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
