"""Files, folders or zip archives -> one prediction per image, resumable, in a folder on disk.

Start in `analyze.py` (images to outcomes); `job.py` describes a run's folder, `worker.py` is the process behind it.
"""
