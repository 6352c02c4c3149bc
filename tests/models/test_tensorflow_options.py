import os
import subprocess
import sys

import pytest

from models.tensorflow_options import OPTIONS, set_options


def test_options_are_set_where_the_environment_says_nothing(monkeypatch):
    for name in OPTIONS:
        monkeypatch.delenv(name, raising=False)
    set_options()
    assert {name: os.environ[name] for name in OPTIONS} == OPTIONS


def test_a_value_of_the_environment_stays(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    set_options()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"


@pytest.mark.parametrize("module", ["models.builders", "training.fit.engine"])
def test_options_are_set_before_tensorflow_is_imported(module):
    probe = (
        "import builtins, os, sys; real = builtins.__import__\n"
        "def watch(name, *args, **kwargs):\n"
        "    if name.split('.')[0] == 'tensorflow' and 'tensorflow' not in sys.modules:\n"
        "        print('oneDNN', os.environ.get('TF_ENABLE_ONEDNN_OPTS'), flush=True); os._exit(0)\n"
        "    return real(name, *args, **kwargs)\n"
        f"builtins.__import__ = watch; import {module}"
    )
    environment = {name: value for name, value in os.environ.items() if name not in OPTIONS}
    told = subprocess.check_output([sys.executable, "-c", probe], text=True, env=environment)
    assert told.strip() == "oneDNN 1"
