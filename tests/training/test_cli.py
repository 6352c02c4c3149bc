"""The command line of everything: which commands there are, and that options reach their stage."""

import importlib
import re

import pytest
from typer.testing import CliRunner

from core.errors import DermalensError
from core.settings import PROJECT_DIR
from training.cli import STAGES, app, evaluate, train
from training.fit.environment import describe_environment
from training.measure import symmetries


def run(*arguments: str):
    return CliRunner().invoke(app, arguments)


def test_the_engines_commands_stand_beside_the_groups_of_training():
    listed = run("--help").stdout
    for name in ("app", "analyze", "batch", "dataset", "bundle", "train", "evaluate"):
        assert f" {name} " in listed
    assert " check " in run("dataset", "--help").stdout
    assert " verify " in run("bundle", "--help").stdout


@pytest.mark.parametrize("module", [stage[2] for stage in STAGES])
def test_every_stage_can_be_imported_and_has_a_main(module):
    assert callable(importlib.import_module(f"training.{module}").main)


def test_every_stage_that_the_code_tells_to_run_is_there_once():
    names = {id(group): name for name, group in (("train", train), ("evaluate", evaluate))}
    known = [(names[id(group)], name) for group, name, *_ in STAGES if id(group) in names]
    files = [*PROJECT_DIR.glob("training/**/*.py"), *PROJECT_DIR.glob("docs/*.md"), PROJECT_DIR / "Makefile"]
    text = "".join(path.read_text() for path in files).replace("$(DERMALENS)", "dermalens")
    told = set(re.findall(r"dermalens (train|evaluate) ([a-z-]+)", text))
    assert len(known) == len(set(known)) and told <= set(known)


def test_a_stages_help_names_its_command_and_its_own_options():
    result = run("evaluate", "symmetries", "--help")
    assert result.exit_code == 0 and "evaluate symmetries" in result.stdout and "--data" in result.stdout


def test_a_record_holds_the_command_as_it_is_typed(monkeypatch):
    kept = []
    monkeypatch.setattr(symmetries, "main", lambda: kept.append(describe_environment()["command"]))
    run("evaluate", "symmetries", "--data", "pictures")
    assert kept == ["dermalens evaluate symmetries --data pictures"]


def test_an_unknown_option_of_a_stage_is_a_usage_error():
    assert run("evaluate", "symmetries", "--bogus").exit_code == 2


def test_what_a_user_can_mend_is_one_line_and_a_bug_is_not_hidden(monkeypatch):
    def fail(error: Exception):
        def main() -> None:
            raise error

        monkeypatch.setattr(symmetries, "main", main)
        return run("evaluate", "symmetries")

    result = fail(DermalensError("No folder.\nGive --data DIR."))
    assert (result.exit_code, result.stderr) == (2, "No folder. Give --data DIR.\n")
    result = fail(PermissionError(13, "Permission denied", "/out"))
    assert result.exit_code == 2 and "Permission denied: '/out'" in result.stderr
    assert isinstance(fail(ValueError("a bug")).exception, ValueError)
