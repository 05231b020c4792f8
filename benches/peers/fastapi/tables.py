"""The tables: scalar fields are columns, what is nested is JSON text."""

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON}


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    is_active: Mapped[bool]


class Subscription(Base):
    __tablename__ = "subscriptions"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    state: Mapped[str]


class ApiKey(Base):
    __tablename__ = "api_keys"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    is_withdrawn: Mapped[bool]


class Property(Base):
    __tablename__ = "properties"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    is_active: Mapped[bool]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    currency: Mapped[str]
    country: Mapped[str | None]
    state: Mapped[str | None]
    city: Mapped[str | None]
    address: Mapped[str | None]
    zip_code: Mapped[str | None]
    latitude: Mapped[str | None]
    longitude: Mapped[str | None]
    timezone: Mapped[str | None]
    property_type: Mapped[str]
    content: Mapped[dict[str, Any]]
    logo_url: Mapped[str | None]
    acc_channels_count: Mapped[int]
    settings: Mapped[dict[str, Any]]
    relationships: Mapped[dict[str, Any]]


class PropertyUser(Base):
    __tablename__ = "property_users"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    property_id: Mapped[str] = mapped_column(ForeignKey("properties.id"), primary_key=True)
