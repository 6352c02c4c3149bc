"""A visitor's own tags, notes and saved views."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, UniqueConstraint, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.records.database import Base, Database, Image, RecordsError, image_key

ISIC = "ISIC"
MAX_NAME, MAX_NOTE = 80, 5_000  # characters
MAX_TAGGED = 500_000  # images of all tags of one visitor together: the file is everybody's
_ISIC_ID = re.compile(r"ISIC_\d{7}")
_AT_ONCE = 5_000  # names in one statement; SQLite takes some 30,000


class ImageKey(NamedTuple):
    """What names an image: its id, and the collection in which that id is unique."""

    collection: str
    name: str


def identify(name: str, source: str) -> ImageKey:
    """The key of an image: ISIC ids are unique everywhere, other names only within their source.

    Two cameras name their pictures alike: a note must never move to another patient's image.

    >>> identify("ISIC_0024306", "mine.csv"), identify("IMG_1", "mine.csv")
    (ImageKey(collection='ISIC', name='ISIC_0024306'), ImageKey(collection='mine.csv', name='IMG_1'))
    """
    return ImageKey(ISIC if _ISIC_ID.fullmatch(name) else source, name)


class Tag(Base):
    """A word that an owner gives to images."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]


class TaggedImage(Base):
    """One tag of one image."""

    __tablename__ = "tagged_images"

    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = image_key(primary_key=True, index=True)


class Note(Base):
    """An owner's text about an image."""

    __tablename__ = "notes"

    owner: Mapped[str] = mapped_column(primary_key=True)
    image_id: Mapped[int] = image_key(primary_key=True)
    text: Mapped[str]
    changed_at: Mapped[datetime]  # UTC


class View(Base):
    """A name for what a page shows.

    Attributes:
        page: its path in the address.
        query: of its address, without "?".
    """

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    page: Mapped[str]
    query: Mapped[str]


class Notebook:
    """What one owner has written; every method raises `RecordsError` where the file cannot be used."""

    def __init__(self, database: Database, owner: str) -> None:
        self.database, self.owner = database, owner

    # --- tags ---------------------------------------------------------------------------------------
    def list_tags(self) -> dict[str, int]:
        """Images with each tag, by its name, in alphabetical order."""
        counts = (
            select(Tag.name, func.count()).join(TaggedImage).where(Tag.owner == self.owner).group_by(Tag.name)
        )
        with self.database.read() as session:
            return {name: count for name, count in session.execute(counts.order_by(Tag.name))}

    def find_tagged(self, tag: str) -> set[ImageKey]:
        """The images with a tag."""
        rows = select(Image.collection, Image.name).join(TaggedImage).join(Tag)
        with self.database.read() as session:
            found = session.execute(rows.where(Tag.owner == self.owner, Tag.name == tag))
            return {ImageKey(*row) for row in found}

    def tags_of(self, image: ImageKey) -> list[str]:
        """The tags of an image, in alphabetical order."""
        names = select(Tag.name).join(TaggedImage).join(Image).where(Tag.owner == self.owner)
        with self.database.read() as session:
            return list(session.scalars(names.where(_is(image)).order_by(Tag.name)))

    def tag(self, images: Sequence[ImageKey], tag: str) -> int:
        """Give images a tag; returns how many did not have it."""
        name = _check(tag, MAX_NAME, "A tag")
        with self.database.write() as session:
            session.execute(insert(Tag).values(owner=self.owner, name=name).on_conflict_do_nothing())
            [tag_id] = session.scalars(select(Tag.id).where(Tag.owner == self.owner, Tag.name == name))
            before = self._count_tagged(session)
            rows = [{"tag_id": tag_id, "image_id": number} for number in add_images(session, images)]
            if rows:
                session.execute(insert(TaggedImage).on_conflict_do_nothing(), rows)
            after = self._count_tagged(session)
            if after > MAX_TAGGED:
                raise RecordsError(
                    f"Your tags would hold {after:,} images of at most {MAX_TAGGED:,}. Remove a tag that you do "
                    "not need any more, or tag fewer images."
                )
        return after - before

    def untag(self, images: Sequence[ImageKey], tag: str) -> None:
        """Take a tag from images; a tag without images is gone."""
        own = select(Tag.id).where(Tag.owner == self.owner, Tag.name == tag)
        with self.database.write() as session:
            for numbers in _in_parts([*_find_images(session, images)]):
                session.execute(
                    delete(TaggedImage).where(TaggedImage.tag_id.in_(own), TaggedImage.image_id.in_(numbers))
                )
            used = select(TaggedImage.tag_id)
            session.execute(delete(Tag).where(Tag.id.in_(own), Tag.id.not_in(used)))

    def delete_tag(self, tag: str) -> None:
        """Take a tag from all images."""
        with self.database.write() as session:
            session.execute(delete(Tag).where(Tag.owner == self.owner, Tag.name == tag))

    def _count_tagged(self, session: Session) -> int:
        count = select(func.count()).select_from(TaggedImage).join(Tag).where(Tag.owner == self.owner)
        return session.scalar(count) or 0

    # --- notes --------------------------------------------------------------------------------------
    def read_note(self, image: ImageKey) -> str:
        """The note on an image, "" without one."""
        text = select(Note.text).join(Image).where(Note.owner == self.owner, _is(image))
        with self.database.read() as session:
            return session.scalar(text) or ""

    def write_note(self, image: ImageKey, text: str) -> None:
        """Put a note on an image in the place of the one that is there; an empty one removes it."""
        with self.database.write() as session:
            [number] = add_images(session, [image])
            session.execute(delete(Note).where(Note.owner == self.owner, Note.image_id == number))
            if text.strip():
                kept = _check(text, MAX_NOTE, "A note")
                session.add(Note(owner=self.owner, image_id=number, text=kept, changed_at=now()))

    # --- views --------------------------------------------------------------------------------------
    def list_views(self) -> list[View]:
        """The saved views, by name."""
        with self.database.read() as session:
            return list(session.scalars(select(View).where(View.owner == self.owner).order_by(View.name)))

    def save_view(self, name: str, page: str, query: str) -> None:
        """Keep what a page shows under a name, in the place of a view of that name."""
        name = _check(name, MAX_NAME, "A view's name")
        with self.database.write() as session:
            session.execute(delete(View).where(View.owner == self.owner, View.name == name))
            session.add(View(owner=self.owner, name=name, page=page, query=query))

    def delete_view(self, name: str) -> None:
        """Forget a view."""
        with self.database.write() as session:
            session.execute(delete(View).where(View.owner == self.owner, View.name == name))


def now() -> datetime:
    """The time in UTC, as the file keeps it: without a zone, to the second."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def add_images(session: Session, images: Iterable[ImageKey]) -> list[int]:
    """The numbers of images, in no particular order; those that are not recorded yet are added."""
    images = list(dict.fromkeys(images))
    if images:
        rows = [image._asdict() for image in images]
        session.execute(insert(Image).on_conflict_do_nothing(), rows)
    return list(_find_images(session, images))


def _find_images(session: Session, images: Iterable[ImageKey]) -> Iterator[int]:
    by_collection: dict[str, list[str]] = {}
    for image in images:
        by_collection.setdefault(image.collection, []).append(image.name)
    for collection, names in by_collection.items():
        for part in _in_parts(names):
            found = select(Image.id).where(Image.collection == collection, Image.name.in_(part))
            yield from session.scalars(found).all()


def _in_parts(values: Sequence) -> Iterator[Sequence]:
    """The values in order, as many at once as a statement takes."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _is(image: ImageKey):
    return (Image.collection == image.collection) & (Image.name == image.name)


def _check(text: str, longest: int, what: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= longest:
        raise RecordsError(f"{what} has 1 to {longest:,} characters; this one has {len(text):,}.")
    return text
