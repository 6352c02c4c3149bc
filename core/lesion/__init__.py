"""Image -> lesion mask -> ABCD measurements.

Read `segmentation.py` (probability map), `refinement.py` (mask and contour), then `morphology.py` (mask to ABCD).
"""
