"""Reviewed labels: what an owner decided about a label that may be wrong."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from core.records.database import Base, Database, Image, RecordsError, image_key
from core.records.notebook import MAX_NOTE, ImageKey, add_images, now

KEEP, CHANGE, UNSURE = DECISIONS = ("keep", "change", "unsure")


class LabelReview(Base):
    """A decision about one label.

    Attributes:
        stated: the diagnosis code that the data give.
        suggested: the one that was suggested instead.
        decision: one of `DECISIONS`.
        note: why; "" without one.
        reviewed_at: UTC.
    """

    __tablename__ = "label_reviews"

    owner: Mapped[str] = mapped_column(primary_key=True)
    image_id: Mapped[int] = image_key(primary_key=True)
    stated: Mapped[str]
    suggested: Mapped[str]
    decision: Mapped[str]
    note: Mapped[str]
    reviewed_at: Mapped[datetime]


class LabelReviews:
    """The reviewed labels of one owner; every method raises `RecordsError` where the file cannot be used."""

    def __init__(self, database: Database, owner: str) -> None:
        self.database, self.owner = database, owner

    def read(self) -> dict[ImageKey, LabelReview]:
        """Every review, by its image."""
        rows = select(LabelReview, Image).join(Image).where(LabelReview.owner == self.owner)
        with self.database.read() as session:
            return {ImageKey(one.collection, one.name): review for review, one in session.execute(rows)}

    def write(self, image: ImageKey, stated: str, suggested: str, decision: str, note: str = "") -> None:
        """Keep a decision in the place of an earlier one.

        Raises:
            RecordsError: also for an unknown decision, or a note that is too long.
        """
        if decision not in DECISIONS or len(note) > MAX_NOTE:
            raise RecordsError(
                f"A decision is one of {', '.join(DECISIONS)}, with a note of at most {MAX_NOTE:,} characters."
            )
        with self.database.write() as session:
            [number] = add_images(session, [image])
            own = (LabelReview.owner == self.owner) & (LabelReview.image_id == number)
            session.execute(delete(LabelReview).where(own))
            texts = {"stated": stated, "suggested": suggested, "decision": decision, "note": note.strip()}
            session.add(LabelReview(owner=self.owner, image_id=number, reviewed_at=now(), **texts))

    def remove(self, image: ImageKey) -> None:
        """Take a decision back."""
        number = select(Image.id).where(Image.collection == image.collection, Image.name == image.name)
        own = LabelReview.owner == self.owner
        with self.database.write() as session:
            session.execute(delete(LabelReview).where(own, LabelReview.image_id.in_(number)))


def to_rows(reviews: Mapping[ImageKey, LabelReview]) -> list[dict[str, Any]]:
    """One row a review, for a table: `dx` is the label to go on with, "" where that is not decided."""
    labels = {KEEP: "stated", CHANGE: "suggested"}
    return [
        {
            "image_id": image.name,
            "stated": review.stated,
            "suggested": review.suggested,
            "decision": review.decision,
            "dx": getattr(review, labels[review.decision]) if review.decision in labels else "",
            "note": review.note,
            "reviewed_at": f"{review.reviewed_at.isoformat()}Z",
        }
        for image, review in sorted(reviews.items())
    ]
