"""The house: what may import what, and how large its files and functions may grow.

Read from the source, also from imports inside functions: nothing may import upwards, not even late.
"""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the bottom to the top; a part imports what stands before it, and nothing that stands after it.
ORDER = (
    "models",
    "core.errors",
    "core.taxonomy",
    "core.images",
    "core.settings",
    "core.tables",
    "core.phantoms",
    "core.lesion",
    "core.diagnosis",
    "core.evaluation",
    "core.analysis",
    "core.analyzer",
    "core.report",
    "core.datasets",
    "core.systems",
    "core.records",
    "core.batch",
    "core.cli",
    "training",
    "pages",
    "streamlit_app",
)
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40
# Files directly in these folders, without `__init__.py`.
MAX_FILES = {"core": 12, "training": 6, "pages/components": 4}
MAX_CONFIGS = 45
MAX_TRACKED_FILES = 646  # without the files that only make a folder a package


def source_files() -> list[Path]:
    folders = ("core", "models", "pages", "training")
    return [ROOT / "streamlit_app.py", *sorted(p for f in folders for p in (ROOT / f).rglob("*.py"))]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str | None:
    """The member of `ORDER` that a module belongs to; None for one that is not ours."""
    return next((part for part in ORDER if f"{module}.".startswith(f"{part}.")), None)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_file_that_imports_something_stands_in_the_order():
    homeless = [path for path in source_files() if part_of(module_of(path)) is None and [*imports_of(path)]]
    assert homeless == []


def test_nothing_imports_upwards():
    upwards = [
        f"{module_of(path)} imports {name}"
        for path in source_files()
        for name in imports_of(path)
        if (own := part_of(module_of(path))) and (other := part_of(name))
        if ORDER.index(other) > ORDER.index(own)
    ]
    assert upwards == []


def test_only_pages_import_streamlit():
    found = {
        part_of(module_of(path))
        for path in source_files()
        for name in imports_of(path)
        if name.split(".")[0] == "streamlit"
    }
    assert found == {"pages", "streamlit_app"}


def test_no_module_imports_itself_through_others():
    modules = {module_of(path): path for path in source_files()}

    def named(name: str) -> str | None:
        """`core.tables.reading.read_table` stands in `core.tables.reading`."""
        return next((m for m in (name, name.rpartition(".")[0]) if m in modules), None)

    graph = {m: {n for name in imports_of(p) if (n := named(name))} - {m} for m, p in modules.items()}
    finished: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module not in finished:
            for following in sorted(graph[module]):
                visit(following, (*path, module))
            finished.add(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("folder", MAX_FILES)
def test_a_folder_holds_few_files(folder):
    files = [path.name for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(files) <= MAX_FILES[folder], sorted(files)


def test_the_repository_holds_few_files():
    assert len([*(ROOT / "training" / "configs").rglob("*.py")]) <= MAX_CONFIGS
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"not a git checkout: {listed.stderr.strip()}")
    files = [name for name in listed.stdout.splitlines() if not name.endswith("__init__.py")]
    assert len(files) <= MAX_TRACKED_FILES


def test_no_file_is_too_long():
    lengths = {
        str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in source_files()
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_function_is_too_long():
    functions = {
        f"{path.relative_to(ROOT)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in source_files()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in functions.items() if n > MAX_FUNCTION_LINES} == {}
