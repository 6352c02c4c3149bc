"""Many images through the analyser in batches, each with its own outcome."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.batch.remote import find_remote, is_address, read_remote
from core.images import finding
from core.images.finding import FoundImages
from core.images.reading import ImageError, LoadedImage, read_image
from core.settings import AnalysisSettings

# Four images are 32 views for the segmenter: larger batches gain nothing on a CPU and cost memory.
BATCH_SIZE = 4


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of one image: an analysis, or the reason why there is none.

    `stem` names it in tables and files: the file's stem, numbered where two files share one.
    """

    path: Path
    stem: str
    analysis: Analysis | None
    error: str = ""


def find_images(paths: Iterable[str | Path]) -> FoundImages:
    """The images named by files, folders and addresses, in order, each once, and what was left alone in the folders.

    A path that does not exist is kept, so that it becomes an outcome with its error.
    """
    found: dict[Path, None] = {}
    left_alone: Counter[str] = Counter()
    given = list(map(Path, paths))
    inside = FoundImages([])
    for path in given:
        inside = _find_at(path)
        found |= dict.fromkeys(inside.paths)
        left_alone.update(inside.left_alone)
    root = inside.root if len(given) == 1 else None
    return FoundImages(list(found), dict(left_alone), root or finding.common_folder(given))


def _find_at(path: Path) -> FoundImages:
    if is_address(path):
        return find_remote(path)
    return finding.find_images(path) if path.is_dir() else FoundImages([path])


def unique_stems(paths: Sequence[Path]) -> list[str]:
    """The file stems; from the second file of the same stem on with a number that is no other file's name.

    >>> unique_stems([Path("a/x.jpg"), Path("b/x.png"), Path("y.jpg"), Path("x_2.jpg")])
    ['x', 'x_3', 'y', 'x_2']
    """
    # A name that is no UTF-8 could stand in no table.
    names = [path.stem.encode("utf-8", "replace").decode() for path in paths]
    real, taken = set(names), set()
    stems = []
    for name in names:
        stem, number = name, 1
        while stem in taken or (stem in real and number > 1):
            number += 1
            stem = f"{name}_{number}"
        taken.add(stem)
        stems.append(stem)
    return stems


def analyze_paths(
    analyzer: Analyzer,
    paths: Sequence[Path],
    settings: AnalysisSettings | None = None,
    stems: Sequence[str] | None = None,
) -> Iterator[Outcome]:
    """Analyse images from disk; an unreadable file gives an outcome with its error, the others continue.

    While the networks work on one batch, the next is read.

    Args:
        analyzer: runs the networks.
        paths: the images.
        settings: the bundle's defaults if None.
        stems: unique names of the images; `unique_stems` if None.
    """
    named = list(zip(paths, unique_stems(paths) if stems is None else stems, strict=True))
    groups = [named[start : start + BATCH_SIZE] for start in range(0, len(named), BATCH_SIZE)]
    with ThreadPoolExecutor(max_workers=1) as reader:
        reading = reader.submit(_read_group, groups[0] if groups else [])
        for following in [*groups[1:], []]:
            images = reading.result()
            reading = reader.submit(_read_group, following)
            yield from _analyze_group(analyzer, images, settings)


Named = tuple[Path, str]


def _read_group(group: Sequence[Named]) -> list[tuple[Named, LoadedImage | ImageError]]:
    return [(named, _read(named[0])) for named in group]


def _read(path: Path) -> LoadedImage | ImageError:
    try:
        return (
            replace(read_image(read_remote(path)), name=path.name) if is_address(path) else read_image(path)
        )
    except ImageError as error:
        return error


def _analyze_group(analyzer, group, settings) -> Iterator[Outcome]:
    good = [image for _, image in group if isinstance(image, LoadedImage)]
    analyses = iter(analyzer.analyze_batch(good, settings) if good else [])
    for named, image in group:
        if isinstance(image, LoadedImage):
            yield Outcome(*named, next(analyses))
        else:
            yield Outcome(*named, None, str(image))
