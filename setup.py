"""Adds to the wheel what pyproject.toml cannot name: Streamlit looks for its theme beside the app's script."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

THEME = Path(".streamlit") / "config.toml"


class BuildWithTheme(build_py):
    """Copies .streamlit/config.toml beside streamlit_app.py."""

    def run(self) -> None:
        super().run()
        target = Path(self.build_lib) / THEME
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(THEME, target)


setup(cmdclass={"build_py": BuildWithTheme})
