"""What a user does and sees, in words, for tests of the pages."""

import json

from streamlit.testing.v1 import AppTest

DIAGNOSE, ABOUT = "pages/diagnose.py", "pages/about.py"
EVALUATE, DATASET, TRAINING = "pages/evaluate.py", "pages/dataset.py", "pages/training.py"


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Drop files on the uploader, whose key counts up with every intake."""
    intake = app.session_state.get("intake", 0)
    typed = [(name, data, "application/octet-stream") for name, data in files]
    app.file_uploader(key=f"upload_{intake}").set_value(typed)
    return run(app)


def run(app: AppTest) -> AppTest:
    """Run the page; whatever the test goes on to check, no exception may show."""
    app.run()
    assert not app.exception
    return app


def visit(app: AppTest, page: str) -> AppTest:
    """Go to another page."""
    app.switch_page(page)
    return run(app)


def read_text(app: AppTest) -> str:
    """All text on the page that is not inside a widget."""
    groups = (
        app.title,
        app.header,
        app.subheader,
        app.markdown,
        app.caption,
        app.info,
        app.warning,
        app.error,
    )
    return "\n".join(f"{getattr(e.proto, 'title', '')} {e.value}" for group in groups for e in group)


def read_tables(app: AppTest) -> str:
    """Every cell of the page's tables, without the word joiners that keep ranges on one line."""
    cells = (str(cell) for table in app.table for cell in table.value.to_numpy().ravel())
    return "\n".join(cells).replace("\u2060", "")


def focus_box(app: AppTest):
    """The select box of the class to look at."""
    [box] = [box for box in app.selectbox if box.label == "Class to look at"]
    return box


def read_viewer(app: AppTest) -> dict:
    """What the two panels were given to draw."""
    return json.loads(app.get_by_key("viewer").proto.json)


def read_ranking(app: AppTest) -> dict:
    """The specification of the ranking's chart."""
    return json.loads(app.get_by_key("ranking").proto.spec)


def keys(widgets) -> set[str]:
    """The keys of some widgets."""
    return {widget.key for widget in widgets}
