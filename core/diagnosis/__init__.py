"""Image and lesion mask -> calibrated class probabilities, and how far to trust them.

Start in `classification.py`; then prediction sets (`conformal.py`), out-of-distribution score (`novelty.py`), the
class-balanced decision (`decision.py`) and Grad-CAM (`explanation.py`). For learners: what the members answer alone
(`members.py`), whether a heatmap matters (`occlusion.py`) and the seven-point checklist (`seven_points.py`).
"""
