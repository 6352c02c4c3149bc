"""A batch in chunks: keys, parts and the merged results without Ray, and two real actors where Ray is installed."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.analyzer import Analyzer
from core.batch import distributed, foreground
from core.batch import job as jobs
from core.batch.distributed import cut_chunks, merge_parts, write_part
from core.batch.faults import JobError
from core.images.drawing import encode_png
from core.settings import AnalysisSettings
from tests.core import slow_ray

COUNT, CHUNK_SIZE = 10, 3
RESULT_FILES = ("results.jsonl", "predictions.csv", "errors.csv")
# Ray's own warnings are not ours to fail on.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def networks(light_networks, monkeypatch):
    monkeypatch.setattr(distributed, "AnalyseChunk", slow_ray.FakeAnalyseChunk)
    monkeypatch.setattr(distributed, "CORES_AN_ACTOR", 1)
    monkeypatch.setattr(distributed.cut_chunks, "__defaults__", (CHUNK_SIZE,))


@pytest.fixture
def images(tmp_path, phantom) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    small = np.ascontiguousarray(phantom.image[::2, ::2])
    for index in range(COUNT):
        data = encode_png(np.roll(small, index, axis=1))
        (folder / f"{index:02d}.png").write_bytes(data[:100] if index == 4 else data)
    return folder


def run(images: Path, to: Path, ray: str = ""):
    return foreground.run_batch([images], to, None, False, False, ray)


def result_bytes(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in RESULT_FILES]


def test_chunks_hold_every_image_once_and_their_keys_depend_on_what_decides_the_answer(images, tmp_path):
    run(images, tmp_path / "run")
    job = jobs.read_job(tmp_path / "run")
    chunks = cut_chunks(job)
    assert [len(chunk.images) for chunk in chunks] == [3, 3, 3, 1]
    assert [image for chunk in chunks for image in chunk.images] == job.read_images()
    keys = {chunk.key for chunk in chunks}
    assert len(keys) == 4 and [chunk.key for chunk in cut_chunks(job)] == [chunk.key for chunk in chunks]
    for other in (replace(job, fingerprint="0"), replace(job, settings=AnalysisSettings())):
        assert keys.isdisjoint(chunk.key for chunk in cut_chunks(other))


def test_parts_in_any_order_become_the_bytes_of_a_local_run(images, tmp_path):
    run(images, tmp_path / "run")
    job = jobs.read_job(tmp_path / "run")
    results = job.folder / "results.jsonl"
    expected = results.read_bytes()
    results.write_bytes(b"".join(expected.splitlines(keepends=True)[:2]))
    (job.folder / "parts").mkdir()
    chunks, analyzer = cut_chunks(job), Analyzer.load()
    assert [write_part(analyzer, job, chunk) for chunk in reversed(chunks)] == [1, 3, 3, 3]
    (job.folder / "parts" / "torn.jsonl.1.tmp").write_text('{"image_id": "0')
    merge_parts(job, chunks)
    assert results.read_bytes() == expected


def test_a_machine_without_ray_is_told_how_to_install_it(images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(JobError, match=r"pip install 'dermalens\[ray\]'"):
        run(images, tmp_path / "run", "local")
    run(images, tmp_path / "run")  # nothing is lost: it goes on without


# --- real actors ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="Ray is an optional extra: pip install 'dermalens[ray]'")
    environment = {"env_vars": {"PYTHONPATH": str(jobs.PROJECT_DIR)}}
    ray.init("local", num_cpus=2, runtime_env=environment, log_to_driver=False, include_dashboard=False)
    yield ray
    ray.shutdown()


def test_two_actors_of_which_one_is_killed_give_the_bytes_of_a_local_run(cluster, images, tmp_path):
    run(images, tmp_path / "local")
    folder = tmp_path / "ray"
    folder.mkdir()
    (folder / slow_ray.DIE).touch()
    progress = run(images, folder, "local")
    assert not (folder / slow_ray.DIE).exists()  # one did die
    assert (progress.done, progress.failed, progress.left) == (COUNT - 1, 1, 0)
    assert result_bytes(folder) == result_bytes(tmp_path / "local")


def test_a_driver_that_is_stopped_in_the_middle_goes_on(cluster, images, tmp_path, monkeypatch):
    run(images, tmp_path / "local")
    with monkeypatch.context() as patch:
        patch.setattr(distributed, "_map", lambda job, chunks, address: stop_after_one(job, chunks))
        with pytest.raises(KeyboardInterrupt):
            run(images, tmp_path / "ray", "local")
    assert (tmp_path / "ray" / "results.jsonl").read_bytes().count(b"\n") == CHUNK_SIZE
    run(images, tmp_path / "ray", "local")
    assert result_bytes(tmp_path / "ray") == result_bytes(tmp_path / "local")


def stop_after_one(job, chunks):
    yield {"images": write_part(Analyzer.load(), job, chunks[0])}
    raise KeyboardInterrupt
