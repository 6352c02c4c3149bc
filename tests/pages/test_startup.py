"""Opening pages must not pay for TensorFlow."""

import subprocess
import sys
from pathlib import Path

PROJECT_DIR = Path(__file__).parents[2]
SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
assert app.title[0].value == "Diagnose" and not app.exception
for page, title in {
    "evaluate": "Evaluate",
    "dataset": "Dataset",
    "training": "Training",
    "about": "About Dermalens",
}.items():
    app.switch_page(f"pages/{page}.py").run()
    assert app.title[0].value == title and not app.exception, page
print(sorted({"tensorflow", "keras", "tf_keras_vis"} & set(sys.modules)))
"""


def test_pages_open_without_importing_tensorflow(tmp_path):
    script = tmp_path / "open_pages.py"
    script.write_text(SCRIPT.replace('"streamlit_app.py"', repr(str(PROJECT_DIR / "streamlit_app.py"))))
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=PROJECT_DIR,
        env={"PYTHONPATH": str(PROJECT_DIR), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
