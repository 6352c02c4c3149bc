"""Odd files with a README each that states the right behaviour; see `python -m tests.odd_files --help`."""
