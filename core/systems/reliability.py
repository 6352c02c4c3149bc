"""What the load test found: `training/results/reliability.json`, written by `python -m tests.soak`."""

import json
from pathlib import Path

from core.systems.evaluations import RESULTS_DIR

RELIABILITY_FILE = RESULTS_DIR / "reliability.json"


def read_reliability(path: Path = RELIABILITY_FILE) -> dict:
    """The record; {} if there is none that can be read."""
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def reliability_rows(record: dict) -> dict[str, list[str]]:
    """What was tried and what came out, for a table; no rows from an empty record.

    >>> reliability_rows({})
    {'Tried': [], 'Found': []}
    """
    if not record:
        return {"Tried": [], "Found": []}
    batch, pages = record["batch"], record["page_seconds"]
    at_once, row = record["sessions"] * record["analyses_a_session"], record["in_a_row"]
    found = {
        f"{record['sessions']} browser sessions at once, {at_once:,} analyses; then {row:,} in a row": (
            f"{record['answers'] - record['wrong']:,} of {record['answers']:,} answers right"
        ),
        "A page opened meanwhile": f"{pages['median']} s, at most {pages['largest']} s",
        f"Memory over the {row:,} in a row": f"{record['memory_slope_mb']:+.2f} MB an analysis",
        f"A batch of {batch['images']:,}, killed {batch['kills']:,} times": (
            "same bytes as undisturbed" if batch["same_bytes"] else "other bytes than undisturbed"
        ),
    }
    return {"Tried": list(found), "Found": list(found.values())}
