"""Pictures at an address that fsspec opens, such as s3://bucket/folder: listed and read, never written.

An address lives in a `Path`, as files do, which makes one slash of two: `Path("s3://bucket/a.png")` is
`s3:/bucket/a.png`. `address_of` puts it back. How to log in is fsspec's matter: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...
"""

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from core.batch.faults import JobError
from core.images.errors import ImageError
from core.images.finding import FoundImages, classify
from core.images.formats import HEAD_BYTES

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)")  # two letters at least: C:/ is a drive


def is_address(path: str | Path) -> bool:
    """Whether this names a place that is no folder of this machine.

    >>> is_address("s3://bucket/a.png"), is_address(Path("s3://bucket")), is_address("/data/a.png"), is_address("C:/a")
    (True, True, False, False)
    """
    return _ADDRESS.fullmatch(str(path)) is not None


def address_of(path: str | Path) -> str:
    """The address with both slashes.

    >>> address_of(Path("s3://bucket/a.png"))
    's3://bucket/a.png'
    """
    return "{}://{}".format(*_ADDRESS.fullmatch(str(path)).groups())


def absolute(path: Path) -> Path:
    """The path from the root of its machine; an address is one."""
    return path if is_address(path) else path.resolve()


def find_remote(path: Path) -> FoundImages:
    """The pictures at an address and below it, sorted.

    Raises:
        ImageError: there is nothing, or no picture ("empty").
        JobError: no fsspec for this kind of address, or it cannot be reached.
    """
    address = address_of(path)
    files, inside = _ask(address, lambda fs, inside: (sorted(fs.find(inside), key=PurePosixPath), inside))
    root = path.parent if files == [inside] else path
    kind, found, left_alone = address.split("://")[0], [], Counter()
    for name in files:
        one = Path(f"{kind}://{name.lstrip('/')}")
        left = classify(PurePosixPath(one).relative_to(root), lambda one=one: _read_head(one))
        if left:
            left_alone[left] += 1
        else:
            found.append(one)
    if not found:
        raise ImageError(f"{address} holds no images.", "empty")
    return FoundImages(found, dict(left_alone), root)


def read_remote(path: Path) -> bytes:
    """A picture's bytes.

    Raises:
        ImageError: it is not there ("missing").
        JobError: the place cannot be reached: that says nothing about the picture.
    """
    try:
        return _ask(address_of(path), lambda fs, inside: fs.cat_file(inside))
    except FileNotFoundError as error:
        raise ImageError(f"No file at {address_of(path)}.", "missing") from error


def _read_head(path: Path) -> bytes:
    return _ask(address_of(path), lambda fs, inside: fs.cat_file(inside, start=0, end=HEAD_BYTES))


def _ask(address: str, question: Any) -> Any:
    """What `question` says of the file system and the path in it."""
    try:
        from fsspec.core import url_to_fs

        return question(*url_to_fs(address))
    except ImportError as error:
        raise JobError(f"{address} cannot be opened: pip install 'dermalens[ray]' ({error}).") from error
    except FileNotFoundError:
        raise
    except Exception as error:  # each store has errors of its own
        raise JobError(f"{address} cannot be reached: {error}") from error
