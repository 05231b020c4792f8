// Sets up a whole hotel, reads it back, changes it and takes it away again, through openapi-fetch with the types that
// are generated from the document: a field that the document does not have does not compile.
//
//     node hotel.js http://127.0.0.1:8080/api/v1 KEY

import assert from "node:assert/strict";
import process from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated.js";

const [address, key] = process.argv.slice(2);
assert(address && key);
const api = createClient<paths>({ baseUrl: address, headers: { "user-api-key": key } });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of a success. */
async function good<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  assert(data !== undefined, `${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data;
}

// --- Set it up

const group = (await good(api.POST("/groups", { body: { group: { title: "JavaScript houses" } } }))).data;
const hotel = (
  await good(
    api.POST("/properties", {
      body: {
        property: {
          title: "Casa do Café", currency: "EUR", country: "PT", city: "Faro", timezone: "Europe/Lisbon",
          latitude: "37.0161000", longitude: -7.935, group_id: group.id,
          settings: { min_price: "40.00", state_length: 365 },
          content: { description: "Twelve rooms.", photos: [{ url: "https://cafe.example/front.jpg" }] },
        },
      },
    }),
  )
).data;

type Beds = Pick<components["schemas"]["RoomTypeCreate"]["room_type"], "room_kind" | "capacity" | "occ_adults">;

async function newRoom(title: string, fields: Partial<Beds> = {}) {
  const room_type = {
    property_id: hotel.id, title, count_of_rooms: 6, occ_adults: 2, occ_children: 0, occ_infants: 1,
    ...fields,
  };
  return (await good(api.POST("/room_types", { body: { room_type } }))).data;
}

type Plan = components["schemas"]["RatePlanCreate"]["rate_plan"];

async function newPlan(room: { id: string }, title: string, fields: Partial<Plan> = {}) {
  const rate_plan: Plan = {
    property_id: hotel.id, room_type_id: room.id, title,
    options: [{ occupancy: 2, is_primary: true, rate: "84.00" }], ...fields,
  };
  return (await good(api.POST("/rate_plans", { body: { rate_plan } }))).data;
}

const double = await newRoom("Double");
const dorm = await newRoom("Dormitory", { room_kind: "dorm", capacity: 8, occ_adults: 8 });
const flexible = await newPlan(double, "Flexible", { meal_type: "breakfast", children_fee: 1250 });
const perPerson = await newPlan(double, "Per person", {
  sell_mode: "per_person",
  options: [{ occupancy: 2, is_primary: true, rate: 8400 }, { occupancy: 1, is_primary: false, rate: "66" }],
});
const bed = await newPlan(dorm, "Bed");
const derived = await newPlan(double, "Non-refundable", {
  parent_rate_plan_id: flexible.id,
  rate_mode: "derived",
  options: [
    {
      occupancy: 2, is_primary: true,
      derived_option: { rate: [["decrease_by_percent", "10"], ["increase_by_amount", "4.50"]] },
    },
  ],
});
const desk = (
  await good(
    api.POST("/property_users", {
      body: { invite: { property_id: hotel.id, user_email: "desk@cafe.example", role: "user" } },
    }),
  )
).data;
const office = (
  await good(
    api.POST("/group_users", {
      body: { invite: { group_id: group.id, user_email: "office@cafe.example", role: "owner" } },
    }),
  )
).data;

type Charge = components["schemas"]["TaxCreate"]["tax"];

async function newTax(title: string, fields: Partial<Charge> = {}) {
  const tax: Charge = {
    property_id: hotel.id, title, logic: "percent", type: "tax", rate: "6", is_inclusive: true, ...fields,
  };
  return (await good(api.POST("/taxes", { body: { tax } }))).data;
}

const vat = await newTax("VAT 6");
const city = await newTax("City tax", {
  type: "city tax", logic: "per_person_per_night", rate: 200, currency: "EUR", is_inclusive: false,
  applicable_after: "2027-04-01", applicable_before: "2027-10-31", max_nights: 7,
});
const taxes = (
  await good(
    api.POST("/tax_sets", {
      body: {
        tax_set: {
          property_id: hotel.id, title: "Standard", currency: "EUR",
          taxes: [{ id: city.id, taxes: [{ id: vat.id }] }, { id: vat.id }],
        },
      },
    }),
  )
).data;
const rules: components["schemas"]["HotelPolicyCreate"]["hotel_policy"] = {
  title: "House rules", currency: "EUR", max_count_of_guests: 24, checkin_time: "15:00", checkout_time: "11:00",
  internet_access_type: "wifi", internet_access_coverage: "all_rooms", parking_type: "nearby",
  parking_reservation: "not_needed", parking_is_private: false, pets_policy: "by_arrangements",
  pets_non_refundable_fee: "12.5", pets_refundable_deposit: 5000, smoking_policy: "no_smoking",
};
const policy = (
  await good(api.POST("/hotel_policies", { body: { hotel_policy: { ...rules, property_id: hotel.id } } }))
).data;
const everywhere = (await good(api.POST("/hotel_policies", { body: { hotel_policy: rules } }))).data;
const photo = (
  await good(
    api.POST("/photos", {
      body: { photo: { property_id: hotel.id, room_type_id: double.id, url: "https://cafe.example/double.jpg" } },
    }),
  )
).data;

// --- Read it back

const at = (one: { id: string }) => ({ params: { path: { id: one.id } } });
const read = (await good(api.GET("/properties/{id}", at(hotel)))).data;
assert.equal(read.attributes.settings.min_price, "40.00");
assert.equal(read.attributes.longitude, "-7.935");
assert.equal(read.attributes.content.photos[0]?.url, "https://cafe.example/front.jpg");
const readGroup = (await good(api.GET("/groups/{id}", at(group)))).data;
assert.equal(readGroup.relationships.properties.data[0]?.id, hotel.id);
assert.equal((await good(api.GET("/room_types/{id}", at(dorm)))).data.attributes.capacity, 8);
assert.equal((await good(api.GET("/rate_plans/{id}", at(flexible)))).data.attributes.children_fee, "12.50");
const readPlan = (await good(api.GET("/rate_plans/{id}", at(derived)))).data.attributes;
assert.equal(readPlan.parent_rate_plan_id, flexible.id);
assert.deepEqual(readPlan.options[0]?.derived_option?.rate, [
  ["decrease_by_percent", "10"],
  ["increase_by_amount", "4.50"],
]);
const readDesk = (await good(api.GET("/property_users/{id}", at(desk)))).data;
assert.equal(readDesk.relationships.user.data.email, "desk@cafe.example");
assert.equal((await good(api.GET("/group_users/{id}", at(office)))).data.attributes.role, "owner");
const readCity = (await good(api.GET("/taxes/{id}", at(city)))).data.attributes;
assert.deepEqual([readCity.rate, readCity.applicable_before, readCity.skip_nights], ["2.00", "2027-10-31", null]);
const ofSet = (await good(api.GET("/tax_sets/{id}", at(taxes)))).data.attributes.taxes;
assert.deepEqual(ofSet.map((tax) => tax.title), ["City tax", "VAT 6"]);
const onCity = ofSet[0]?.taxes[0];
assert.deepEqual([onCity?.id, onCity?.rate, onCity?.taxes], [vat.id, "6.00", []]);
const readPolicy = (await good(api.GET("/hotel_policies/{id}", at(policy)))).data;
assert.equal(readPolicy.attributes.pets_refundable_deposit, "50.00");
assert.equal(readPolicy.attributes.internet_access_cost, null);
assert.equal(readPolicy.relationships.property.data?.id, hotel.id);
assert.equal((await good(api.GET("/hotel_policies/{id}", at(everywhere)))).data.relationships.property.data, null);
assert.equal((await good(api.GET("/photos/{id}", at(photo)))).data.attributes.room_type_id, double.id);

const ofHotel = { params: { query: { "filter[property_id]": hotel.id } } };
const ids = (list: { data: { id: string }[] }) => list.data.map((one) => one.id);
assert.deepEqual(ids(await good(api.GET("/properties", { params: { query: { "filter[id]": hotel.id } } }))), [hotel.id]);
assert.deepEqual(ids(await good(api.GET("/room_types", ofHotel))), [dorm.id, double.id]);
const plans = await good(
  api.GET("/rate_plans", {
    params: { query: { "filter[property_id]": hotel.id, "order[title]": "desc", "pagination[limit]": 3 } },
  }),
);
assert.deepEqual(plans.data.map((plan) => plan.attributes.title), ["Per person", "Non-refundable", "Flexible"]);
assert.equal(plans.meta.total, 4);
assert.equal((await good(api.GET("/rate_plans/options", ofHotel))).data.length, 4);
assert.equal((await good(api.GET("/room_types/options", ofHotel))).data.length, 2);
assert(ids(await good(api.GET("/properties/options"))).includes(hotel.id));
assert(ids(await good(api.GET("/groups"))).includes(group.id));
assert(ids(await good(api.GET("/property_users", ofHotel))).includes(desk.id));
assert(ids(await good(api.GET("/group_users"))).includes(office.id));
assert.deepEqual(ids(await good(api.GET("/taxes", ofHotel))), [city.id, vat.id]);
const sets = await good(
  api.GET("/tax_sets", { params: { query: { "filter[property_id]": hotel.id, "pagination[limit]": 1 } } }),
);
assert.deepEqual([ids(sets), sets.meta?.total], [[taxes.id], 1]);
assert.deepEqual(ids(await good(api.GET("/hotel_policies", ofHotel))), [policy.id]);
assert.deepEqual(
  (await good(api.GET("/photos", ofHotel))).data.map((one) => one.attributes.url),
  ["https://cafe.example/front.jpg", "https://cafe.example/double.jpg"],
);

// --- Change it

const moved = (await good(api.PUT("/properties/{id}", { ...at(hotel), body: { property: { city: "Olhão" } } }))).data;
assert.deepEqual([moved.attributes.city, moved.attributes.country], ["Olhão", "PT"]);
const renamed = await good(api.PUT("/groups/{id}", { ...at(group), body: { group: { title: "Cafés" } } }));
assert.equal(renamed.data.attributes.title, "Cafés");
const larger = await good(api.PUT("/room_types/{id}", { ...at(double), body: { room_type: { count_of_rooms: 7 } } }));
assert.deepEqual([larger.data.attributes.count_of_rooms, larger.data.attributes.title], [7, "Double"]);
const early = await good(api.PUT("/rate_plans/{id}", { ...at(derived), body: { rate_plan: { title: "Early" } } }));
assert.equal(early.data.attributes.parent_rate_plan_id, flexible.id);
const promoted = await good(
  api.PUT("/property_users/{id}", {
    ...at(desk),
    body: { property_user: { role: "owner", overrides: { prices: "read" } } },
  }),
);
assert.deepEqual(promoted.data.attributes.overrides, { prices: "read" });
const demoted = await good(api.PUT("/group_users/{id}", { ...at(office), body: { group_user: { role: "user" } } }));
assert.equal(demoted.data.attributes.role, "user");
const raised = (await good(api.PUT("/taxes/{id}", { ...at(vat), body: { tax: { rate: "13.5" } } }))).data;
assert.deepEqual([raised.attributes.rate, raised.attributes.title], ["13.50", "VAT 6"]);
const fewer = await good(
  api.PUT("/tax_sets/{id}", { ...at(taxes), body: { tax_set: { taxes: [{ id: vat.id }] } } }),
);
assert.deepEqual(fewer.data.attributes.taxes.map((tax) => tax.rate), ["13.50"]);
const paid = await good(
  api.PUT("/hotel_policies/{id}", { ...at(policy), body: { hotel_policy: { internet_access_cost: "3" } } }),
);
assert.equal(paid.data.attributes.internet_access_cost, "3.00");
const outside = await good(
  api.PUT("/photos/{id}", { ...at(photo), body: { photo: { room_type_id: null, position: 1 } } }),
);
assert.equal(outside.data.attributes.room_type_id, null);
const ofProperty = (await good(api.GET("/properties/{id}", at(hotel)))).data.attributes.content.photos;
assert.equal(ofProperty[1]?.id, photo.id);
const refused = await api.PUT("/room_types/{id}", { ...at(double), body: { room_type: { title: " " } } });
assert.equal(refused.error?.errors.code, "validation_error");
assert.deepEqual(refused.error?.errors.details, { title: ["can't be blank"] });

// --- Take it away

const other = (await good(api.POST("/groups", { body: { group: { title: "Other JavaScript houses" } } }))).data;
const between = (one: { id: string }) => ({ params: { path: { group_id: one.id, property_id: hotel.id } } });
await good(api.POST("/groups/{group_id}/properties/{property_id}", between(other)));
await good(api.DELETE("/groups/{group_id}/properties/{property_id}", between(group)));
await good(api.DELETE("/group_users/{id}", at(office)));
await good(api.DELETE("/property_users/{id}", at(desk)));
await good(api.DELETE("/photos/{id}", at(photo)));
for (const one of [policy, everywhere]) {
  await good(api.DELETE("/hotel_policies/{id}", at(one)));
}
await good(api.DELETE("/tax_sets/{id}", at(taxes)));
await good(api.DELETE("/taxes/{id}", at(city)));
for (const plan of [derived, flexible, perPerson, bed]) {
  await good(api.DELETE("/rate_plans/{id}", at(plan)));
}
for (const room of [double, dorm]) {
  await good(api.DELETE("/room_types/{id}", at(room)));
}
await good(api.DELETE("/properties/{id}", { params: { path: { id: hotel.id }, query: { force: "true" } } }));
for (const one of [group, other]) {
  await good(api.DELETE("/groups/{id}", at(one)));
}
assert.equal((await api.GET("/properties/{id}", at(hotel))).error?.errors.code, "not_found");
assert.deepEqual(ids(await good(api.GET("/room_types", ofHotel))), []);
assert.equal((await api.GET("/taxes/{id}", at(vat))).error?.errors.code, "not_found");
console.log("The hotel was set up, read back, changed and taken away.");
