"""The table of the load test."""

from core.systems.reliability import read_reliability, reliability_rows

RECORD = {
    "sessions": 3,
    "analyses_a_session": 5,
    "in_a_row": 1000,
    "answers": 1015,
    "wrong": 2,
    "page_seconds": {"median": 0.8, "largest": 1.9},
    "memory_slope_mb": -0.004,
    "batch": {"images": 20, "kills": 4, "same_bytes": False},
}


def test_wrong_answers_and_other_bytes_are_said():
    rows = reliability_rows(RECORD)
    assert rows["Tried"][0] == "3 browser sessions at once, 15 analyses; then 1,000 in a row"
    assert rows["Found"] == [
        "1,013 of 1,015 answers right",
        "0.8 s, at most 1.9 s",
        "-0.00 MB an analysis",
        "other bytes than undisturbed",
    ]


def test_a_record_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "broken.json").write_text('{"sessions": ')
    (tmp_path / "list.json").write_text("[]")
    for name in ("broken.json", "list.json", "nowhere.json"):
        assert read_reliability(tmp_path / name) == {}
