"""The list of properties as FastAPI's documentation builds it, with SQLAlchemy on SQLite.

The session is a dependency, and what uses it are plain functions, as in FastAPI's tutorial of SQL databases: they run
in its thread pool. One process of Uvicorn serves, with uvloop and httptools and without a log of requests.

    main.py --port PORT --data FOLDER --properties FILE
"""

import argparse
import hashlib
import json
import pathlib
import secrets
import uuid
from collections.abc import Iterator
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import APIKeyHeader
from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.orm import Session

from answer import Attributes, Meta, PropertyList, PropertyOut, Relationships
from tables import ApiKey, Base, Property, PropertyUser, Subscription, User

app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(app.state.engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
KeyDep = Annotated[str | None, Depends(APIKeyHeader(name="user-api-key", auto_error=False))]


def get_caller(session: SessionDep, key: KeyDep) -> User:
    """The user of the key that was sent: neither they nor the key nor their subscription may have ended."""
    user = key and session.scalar(
        select(User)
        .join(ApiKey, ApiKey.user_id == User.id)
        .join(Subscription, Subscription.user_id == User.id)
        .where(
            ApiKey.digest == hashlib.sha256(key.encode()).digest(),
            ApiKey.is_withdrawn.is_(False),
            User.is_active.is_(True),
            Subscription.state == "active",
        )
    )
    if not user:
        raise HTTPException(401, "Unauthorized")
    return user


CallerDep = Annotated[User, Depends(get_caller)]


@app.get("/api/v1/properties")
def list_properties(
    session: SessionDep,
    caller: CallerDep,
    page: Annotated[int, Query(alias="pagination[page]", ge=1)] = 1,
    limit: Annotated[int, Query(alias="pagination[limit]", ge=1, le=100)] = 10,
) -> PropertyList:
    mine = PropertyUser.user_id == caller.id
    total = session.scalar(select(func.count()).select_from(PropertyUser).where(mine))
    properties = session.scalars(
        select(Property)
        .join(PropertyUser, PropertyUser.property_id == Property.id)
        .where(mine)
        .order_by(Property.title, Property.id)
        .limit(limit)
        .offset((page - 1) * limit)
    )
    data = [
        PropertyOut(
            id=property.id,
            attributes=Attributes.model_validate(property),
            relationships=Relationships.model_validate(property.relationships),
        )
        for property in properties
    ]
    return PropertyList(data=data, meta=Meta(page=page, limit=limit, total=total))


def open_database(file: pathlib.Path) -> Engine:
    # A connection for each thread of the pool; never fewer than requests, which would wait for each other.
    engine = create_engine(f"sqlite:///{file}", pool_size=40, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection, _record):
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma foreign_keys = on")

    Base.metadata.create_all(engine)
    return engine


def seed(engine: Engine, file: pathlib.Path) -> str:
    """Makes a user with a subscription and the properties of a list; their key."""
    key = f"lk_{secrets.token_urlsafe(32)}"
    user = str(uuid.uuid4())
    with Session(engine) as session, session.begin():
        session.add(User(id=user, email="desk@load.example", is_active=True))
        session.flush()
        session.add(Subscription(user_id=user, state="active"))
        session.add(ApiKey(digest=hashlib.sha256(key.encode()).digest(), user_id=user, is_withdrawn=False))
        for one in json.loads(file.read_text())["data"]:
            session.add(Property(**one["attributes"], relationships=one["relationships"]))
            session.flush()
            session.add(PropertyUser(user_id=user, property_id=one["id"]))
    return key


class Server(uvicorn.Server):
    """Tells when it answers, and with which key."""

    def __init__(self, config: uvicorn.Config, key: str):
        super().__init__(config)
        self.key = key

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        print(f"ready {self.key}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--properties", type=pathlib.Path, required=True)
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    app.state.engine = open_database(args.data / "fastapi.db")
    key = seed(app.state.engine, args.properties)
    config = uvicorn.Config(
        app, port=args.port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    Server(config, key).run()


if __name__ == "__main__":
    main()
