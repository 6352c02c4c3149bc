"""Values on their way into files: JSON types, and cells that no spreadsheet runs as a formula."""

import math
from typing import Any

import numpy as np

# What a spreadsheet runs, with the full-width forms that some of them take too; leading blanks and
# breaks hide none of it (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(value: Any) -> Any:
    """Text that starts like a spreadsheet formula, or with a tab or line break, gets a leading apostrophe.

    A carriage return, which may stand in a file's name, becomes a space: `csv` would not quote it.

    >>> harmless("=1+1"), harmless("mel"), harmless(-0.5)
    ("'=1+1", 'mel', -0.5)
    """
    if not isinstance(value, str):
        return value
    starts = value.startswith(("\t", "\r", "\n")) or value.lstrip().startswith(_FORMULA_STARTS)
    return ("'" if starts else "") + value.replace("\r", " ")


def to_json_types(value: Any) -> Any:
    """Plain dicts, lists, str, int, float, bool and None; NaN and infinity become None.

    >>> to_json_types({"a": np.float32(0.5), "b": float("nan"), "c": (1, 2)})
    {'a': 0.5, 'b': None, 'c': [1, 2]}
    """
    if isinstance(value, dict):
        return {str(key): to_json_types(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_types(item) for item in value]
    if isinstance(value, np.ndarray):
        return to_json_types(value.tolist())
    if isinstance(value, np.generic):
        return to_json_types(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
