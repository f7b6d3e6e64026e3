"""What a writer does: small operations on all collections, put together to transactions or not.

An operation gets a Session and makes a few changes through it. It never looks at what the source
holds to decide what to do next, so that one seed gives one sequence of changes per writer.
"""

import random
import typing

import pymongo
from bson import Int64
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne

from database import ACCOUNTS
from mongodb import documents
from mongodb.documents import Values

LARGE = [1_000, 2_500]  # documents of a large change


class Session:
    """One writer's client with its random numbers; belongs to one thread. `open`: the server's
    session while a transaction is under way."""

    def __init__(self, client: pymongo.MongoClient, rng: random.Random, number: int):
        self.client = client
        self.rng = rng
        self.values = Values(rng)
        self.number = number
        self.open = None

    def collection(self, name: str):
        database, collection = documents.split(name)
        return self.client[database][collection]

    def write(self, name: str, *changes, ordered: bool = True) -> None:
        """One bulk write."""
        self.collection(name).bulk_write(list(changes), ordered=ordered, session=self.open)

    def some_of(self, fields: dict) -> dict:
        names = self.rng.sample(list(fields), min(len(fields), self.rng.randint(1, 4)))
        return {name: fields[name] for name in names}


def insert_if_missing(key, fields: dict) -> UpdateOne:
    return UpdateOne({"_id": key}, {"$setOnInsert": fields}, upsert=True)


def insert_orders(s: Session) -> None:
    s.write("orders", *[insert_if_missing(s.rng.randint(1, documents.ORDERS), s.values.order() | {"v": 1})
                        for _ in range(s.rng.randint(1, 4))])


def update_orders(s: Session) -> None:
    """Sets, unsets, increments and pushes; few keys, so that one epoch sees each many times."""
    rng = s.rng
    most = 40 if rng.random() < 0.4 else documents.ORDERS
    for _ in range(rng.randint(1, 4)):
        key = rng.randint(1, most)
        fields = s.some_of(s.values.order() | {"v": rng.randrange(100)})
        change = rng.choice([
            {"$set": fields}, {"$set": fields}, {"$unset": dict.fromkeys(fields, "")},
            {"$inc": {"v": rng.choice([1, Int64(2)])}, "$set": {"state": s.values.text()}},
            {"$push": {"items": s.values.nested()}}, {"$pop": {"items": 1}},
            {"$set": {"address.street": s.values.text()}} if rng.random() < 0.2 else
            {"$set": {"place.street": s.values.text(), "place.n": rng.randrange(9)}},
            {"$rename": {"state": "was_state"}}, {"$currentDate": {"seen": True}}])
        s.write("orders", UpdateOne({"_id": key}, change, upsert=rng.random() < 0.2))


def replace_orders(s: Session) -> None:
    s.write("orders", ReplaceOne({"_id": s.rng.randint(1, 300)}, s.values.order(),
                                 upsert=s.rng.random() < 0.5))


def delete_orders(s: Session) -> None:
    first = s.rng.randint(1, documents.ORDERS)
    s.write("orders", DeleteMany({"_id": {"$gte": first, "$lte": first + s.rng.randint(0, 3)}}))


def delete_and_insert_again(s: Session) -> None:
    """The same key, also more than once, and with fewer fields than before."""
    name, key = s.rng.choice([("orders", s.rng.randint(1, 100)), ("bulk", s.rng.randint(1, 100)),
                              ("people", f"näme {s.rng.randrange(50)}")])
    for _ in range(s.rng.randint(1, 2)):
        s.write(name, DeleteOne({"_id": key}), InsertOne({"_id": key} | s.some_of(s.values.person())))
    if s.rng.random() < 0.3:
        s.write(name, DeleteOne({"_id": key}))


def change_people(s: Session) -> None:
    key = s.values.name()
    match s.rng.randrange(5):
        case 0:
            s.write("people", ReplaceOne({"_id": key}, s.values.person(), upsert=True))
        case 1 | 2:
            s.write("people", UpdateOne({"_id": key}, {"$set": s.some_of(s.values.person())},
                                        upsert=s.rng.random() < 0.5))
        case 3:
            s.write("people", UpdateOne({"_id": key}, {"$inc": {"visits": 1}}),
                    UpdateOne({"_id": key}, {"$push": {"friends": s.values.text()}}))
        case 4:
            s.write("people", DeleteOne({"_id": key}))


def change_mixed(s: Session) -> None:
    """Keys of all types, among them such as are equal for the server and not the same."""
    key = s.values.key()
    match s.rng.randrange(5):
        case 0:
            s.write("mixed", insert_if_missing(key, {"v": s.values.text()}))
        case 1 | 2:
            s.write("mixed", UpdateOne({"_id": key}, {"$set": {"v": s.rng.randrange(1000)}}))
        case 3:
            s.write("mixed", DeleteOne({"_id": key}))
        case 4:
            s.write("mixed", DeleteOne({"_id": key}), InsertOne({"_id": key, "v": "again"}))


def change_drifting(s: Session) -> None:
    key = s.rng.choice([s.rng.randint(1, documents.DRIFTING), Int64(s.rng.randint(1, 50))])
    fields = s.values.drift()
    # A name that an update would read as a path or an operator is set with the whole document.
    plain = {name: value for name, value in fields.items()
             if name and "." not in name and not name.startswith("$")}
    match s.rng.randrange(4):
        case 0 if "$dollar" not in fields:
            s.write("drifting", ReplaceOne({"_id": key}, fields, upsert=True))
        case 1 | 2 if plain:
            s.write("drifting", UpdateOne({"_id": key}, {"$set": plain}))
        case _:
            s.write("drifting", DeleteOne({"_id": key}), InsertOne({"_id": key} | fields))


def change_remade(s: Session) -> None:
    key = s.rng.randint(1, documents.REMADE)
    s.write("remade", UpdateOne({"_id": key}, {"$set": {"v": s.values.text()}}, upsert=True),
            DeleteOne({"_id": s.rng.randint(1, documents.REMADE)}))


def change_events(s: Session) -> None:
    day = s.rng.randrange(31)
    s.write("audit.events", *s.rng.sample([
        InsertOne({"_id": s.values.object_id()} | s.values.event()),
        InsertOne({"_id": s.values.object_id()} | s.values.event()),
        UpdateMany({"day": day, "count": {"$mod": [7, 3]}}, {"$inc": {"count": 1}}),
        UpdateOne({"day": day}, {"$set": {"kind": s.values.text()}}),
        DeleteOne({"day": day})], 2))


def write_in_bulk(s: Session) -> None:
    """Some hundred changes in one bulk write, in no order."""
    first = s.rng.randint(1, documents.BULK)
    keys = range(first, first + s.rng.randint(20, 150))
    s.write("bulk", *[s.rng.choice([
        insert_if_missing(key, s.values.bulk()), UpdateOne({"_id": key}, {"$inc": {"n": 1}}),
        UpdateOne({"_id": key}, {"$set": s.values.bulk()}, upsert=True),
        DeleteOne({"_id": key})]) for key in keys], ordered=s.rng.random() < 0.5)


def transfer(s: Session) -> None:
    source, target = s.rng.sample(range(1, ACCOUNTS + 1), 2)
    amount = s.rng.randint(-100, 100)
    s.write("accounts", UpdateOne({"_id": source}, {"$inc": {"balance": -amount}}),
            UpdateOne({"_id": target}, {"$inc": {"balance": amount}}))
    s.write("transfers", InsertOne({"_id": s.values.object_id(), "source": source, "target": target,
                                    "amount": amount}))


def write_elsewhere(s: Session) -> None:
    """Traffic that the pipeline must step over."""
    s.write("not_captured", InsertOne({"_id": s.values.object_id(), "note": s.values.big_text()}))


def large_change(s: Session) -> None:
    """Over several frames, as one transaction or as one statement."""
    first = s.rng.randint(1, documents.BULK)
    keys = range(first, first + s.rng.choice(LARGE))
    match s.rng.randrange(4):
        case 0 | 1:
            s.write("bulk", *[UpdateOne({"_id": key}, {"$set": s.values.bulk()}, upsert=True)
                              for key in keys])
        case 2:
            s.write("bulk", UpdateMany({"_id": {"$gte": first, "$lt": keys.stop}},
                                       {"$inc": {"n": 1}, "$set": {"payload": "y" * 200}}))
        case 3:
            s.write("bulk", DeleteMany({"_id": {"$gte": first, "$lt": keys.stop}}))
    if s.rng.random() < 0.5:
        update_orders(s)


def drift_more(s: Session) -> None:
    """New fields, and one that comes to be of another kind."""
    for _ in range(3):
        change_drifting(s)
    name = f"new{s.rng.randrange(1000)}"
    s.write("drifting", UpdateOne({"_id": s.rng.randint(1, 50)}, {"$set": {name: 1}}, upsert=True),
            UpdateOne({"_id": s.rng.randint(1, 50)}, {"$set": {name: s.values.scalar()}}))


def remake(s: Session) -> None:
    """What a stream tells otherwise than by documents; never in a transaction."""
    remade, other = s.collection("remade"), s.collection(f"remade_{s.number}")
    new = [{"_id": key, "v": s.values.text()} for key in range(1, s.rng.randint(2, 200))]
    with_images = {"changeStreamPreAndPostImages": {"enabled": s.rng.random() < 0.7}}
    match s.rng.randrange(6):
        case 0:  # dropped, and made by the first document
            remade.drop()
            remade.insert_many(new)
        case 1:
            remade.drop()
            s.client[documents.DATABASE].create_collection("remade", **with_images)
            change_remade(s)
        case 2:  # away
            remade.rename(other.name, dropTarget=True)
            remade.insert_many(new)
            other.drop()
        case 3:  # onto what is captured
            other.drop()
            other.insert_many(new)
            other.rename("remade", dropTarget=True)
            change_remade(s)
        case 4:  # away and back
            remade.rename(other.name, dropTarget=True)
            other.insert_one({"_id": -s.number})
            other.rename("remade", dropTarget=True)
        case 5:
            s.client.drop_database(documents.ELSEWHERE)
            change_events(s)


def switch_images(s: Session) -> None:
    s.client[documents.DATABASE].command(
        "collMod", s.rng.choice(documents.SWITCHED),
        changeStreamPreAndPostImages={"enabled": s.rng.random() < 0.5})
    update_orders(s)


Operation = typing.Callable[[Session], None]
SMALL: list[tuple[float, Operation]] = [
    (8, insert_orders), (14, update_orders), (6, replace_orders), (5, delete_orders),
    (8, delete_and_insert_again), (12, change_people), (12, change_mixed), (14, change_drifting),
    (6, change_remade), (8, change_events), (2, write_in_bulk), (20, transfer),
    (2, write_elsewhere),
]
# Operations that may be left out by name, with their share of all transactions.
SPECIAL: dict[str, tuple[float, Operation]] = {
    "large": (0.004, large_change),
    "columns": (0.01, drift_more),
    "remake": (0.002, remake),
    "images": (0.003, switch_images),
}
# Which the server refuses in a transaction.
ALONE = {remake, switch_images}
# Which only make sense in one.
TOGETHER = {transfer}
