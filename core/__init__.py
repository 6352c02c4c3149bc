"""The engine: an image goes in, an `Analysis` comes out; arrays and frozen dataclasses, never Streamlit.

Start in `analyzer.py`, which runs the stages in order: images, lesion, diagnosis. Everything else works on many
images (`batch`), on predictions (`evaluation`, `systems`) or on data (`datasets`, `tables`, `phantoms`).
"""
