"""The parts of the Diagnose page: the session's images in, one inspected lesion out. Start in `result.py`."""
