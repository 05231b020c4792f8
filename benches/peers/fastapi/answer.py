"""The models of the answer: Pydantic checks every field against them and writes the JSON."""

from pydantic import BaseModel, ConfigDict


class Photo(BaseModel):
    author: str | None
    description: str | None
    id: str
    kind: str
    position: int
    property_id: str
    room_type_id: str | None
    url: str


class Content(BaseModel):
    description: str | None
    photos: list[Photo]
    important_information: str | None


class Settings(BaseModel):
    allow_availability_autoupdate_on_confirmation: bool
    allow_availability_autoupdate_on_modification: bool
    allow_availability_autoupdate_on_cancellation: bool
    min_stay_type: str
    min_price: str | None
    max_price: str | None
    state_length: int


class Attributes(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    title: str
    is_active: bool
    email: str | None
    phone: str | None
    currency: str
    country: str | None
    state: str | None
    city: str | None
    address: str | None
    zip_code: str | None
    latitude: str | None
    longitude: str | None
    timezone: str | None
    property_type: str
    content: Content
    logo_url: str | None
    acc_channels_count: int
    settings: Settings


class NamedAttributes(BaseModel):
    id: str
    title: str


class Named(BaseModel):
    type: str
    id: str
    attributes: NamedAttributes


class NamedList(BaseModel):
    data: list[Named]


class Relationships(BaseModel):
    groups: NamedList
    facilities: NamedList


class PropertyOut(BaseModel):
    type: str = "property"
    id: str
    attributes: Attributes
    relationships: Relationships


class Meta(BaseModel):
    page: int
    limit: int
    total: int


class PropertyList(BaseModel):
    data: list[PropertyOut]
    meta: Meta
