"""A batch on Ray Data: several processes or machines, one run folder, resumed by the same command.

The run's list is cut into chunks. Each chunk has a key, made of its images, the settings and the weights, and ends as
one file below `parts/` of the run's folder: written as `.tmp` by whoever analysed it, then renamed, so that a part is
whole or not there. The command that is started again analyses the chunks without a part. At the end the parts become
`results.jsonl` in the order of the images: the same bytes as a local run.

Every machine must see the run's folder and the images under the same paths.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.analyzer import Analyzer
from core.batch.analyze import analyze_paths
from core.batch.faults import JobError, named_faults, write_whole
from core.batch.job import Job, read_job
from core.batch.results import RESULTS, keep_whole_lines, read_results
from core.batch.worker import check_source, check_weights, describe
from core.systems.evaluations import PROJECT_DIR

# A lost actor costs its chunk: half a minute of work on two cores. A million images are 16,000 parts.
CHUNK_SIZE = 64
CORES_AN_ACTOR = 2
PARTS = "parts"


@dataclass(frozen=True)
class Chunk:
    """Some images of a run, with the key of their part."""

    key: str
    images: list[dict[str, str]]

    def part(self, folder: Path) -> Path:
        return folder / PARTS / f"{self.key}.jsonl"


def cut_chunks(job: Job, size: int = CHUNK_SIZE) -> list[Chunk]:
    """All images of a run in its order; the same run gives the same chunks and keys."""
    images = job.read_images()
    groups = (images[start : start + size] for start in range(0, len(images), size))
    return [Chunk(_key(job, group), group) for group in groups]


def _key(job: Job, images: list[dict[str, str]]) -> str:
    named = [(image["image_id"], image["path"]) for image in images]
    return hashlib.sha256(repr((named, job.settings, job.fingerprint)).encode()).hexdigest()[:24]


class AnalyseChunk:
    """An actor: loads the networks once, then writes a part for each chunk that it is given."""

    def __init__(self, folder: str) -> None:
        job = read_job(Path(folder))
        if job is None:
            raise JobError(f"This machine does not see the run in {folder}: it must lie on a shared disk.")
        self.job, self.analyzer = job, Analyzer.load()
        check_weights(self.analyzer, self.job)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        chunk = Chunk(row["key"], json.loads(row["images"]))
        with named_faults(self.job.folder):
            return {"key": chunk.key, "images": write_part(self.analyzer, self.job, chunk)}


def write_part(analyzer: Analyzer, job: Job, chunk: Chunk) -> int:
    """Analyse a chunk; a refused image is a line with its error. Returns the number of lines."""
    paths = [Path(image["path"]) for image in chunk.images]
    stems = [image["image_id"] for image in chunk.images]
    lines = []
    for outcome in analyze_paths(analyzer, paths, job.settings, stems):
        check_source(outcome)
        lines.append(json.dumps(describe(outcome)) + "\n")
    part = chunk.part(job.folder)
    unfinished = part.with_name(f"{part.name}.{os.getpid()}.tmp")  # two actors may be given the same chunk
    unfinished.write_text("".join(lines))
    unfinished.replace(part)
    return len(lines)


def run_on_ray(job: Job, address: str, on_images: Callable[[int], None] = lambda count: None) -> None:
    """Analyse what is left on a Ray cluster; the caller holds the run.

    Args:
        job: the run.
        address: of the cluster; "local" starts one on this machine.
        on_images: called with the number of images of each chunk that is finished.

    Raises:
        JobError: Ray is not installed, the cluster cannot be reached, or a chunk failed.
    """
    with named_faults(job.folder):
        keep_whole_lines(job)
        (job.folder / PARTS).mkdir(exist_ok=True)
        chunks = cut_chunks(job)
        finished = {record["image_id"] for record in read_results(job)}
        left = [
            chunk for chunk in chunks if not chunk.part(job.folder).exists() and not _covers(finished, chunk)
        ]
        try:
            for answer in _map(job, left, address):
                on_images(answer["images"])
        finally:
            merge_parts(job, chunks)


def _covers(finished: set[str], chunk: Chunk) -> bool:
    return all(image["image_id"] in finished for image in chunk.images)


def _map(job: Job, chunks: list[Chunk], address: str) -> Iterator[dict[str, Any]]:
    """Answers of `AnalyseChunk` as they come."""
    if not chunks:
        return
    ray = _start_ray(address)
    rows = [{"key": chunk.key, "images": json.dumps(chunk.images)} for chunk in chunks]
    actors = max(1, min(len(rows), int(ray.cluster_resources().get("CPU", 1)) // CORES_AN_ACTOR))
    answers = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        AnalyseChunk,
        fn_constructor_kwargs={"folder": str(job.folder.resolve())},
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=min(CORES_AN_ACTOR, ray.cluster_resources().get("CPU", 1)),
        max_restarts=-1,  # a dead actor comes back; its chunk is given out again
        max_task_retries=-1,
    )
    try:
        yield from answers.iter_rows()
    except ray.exceptions.RayError as error:
        raise JobError(f"The run on Ray stopped: {_last_line(error)} Finished chunks are kept.") from error


def _start_ray(address: str):
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise JobError("Ray is not installed: pip install 'dermalens[ray]'.") from error
    # Where the code is not installed, it is read from the same folder as here.
    environment = {"env_vars": {"PYTHONPATH": str(PROJECT_DIR)}}
    try:
        ray.init(address, runtime_env=environment, log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise JobError(f"No Ray cluster at {address}: {_last_line(error)}") from error
    return ray


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def merge_parts(job: Job, chunks: list[Chunk]) -> None:
    """Write `results.jsonl` from its own lines and the parts, in the order of the images; then the parts may go."""
    found = {record["image_id"]: json.dumps(record) for record in read_results(job)}
    parts = [part for chunk in chunks if (part := chunk.part(job.folder)).exists()]
    for part in parts:
        records = map(json.loads, part.read_text().splitlines())
        found |= {record["image_id"]: json.dumps(record) for record in records}
    order = [image["image_id"] for chunk in chunks for image in chunk.images]
    write_whole(job.folder / RESULTS, "".join(f"{found[name]}\n" for name in order if name in found))
    for part in parts:
        part.unlink()
