"""What several pages use: cached engine, dataset folder, notices, figures. Start in `engine.py`."""
