"""Files -> RGB uint8 arrays, or a refusal that says why; quality checks and preprocessing of those arrays.

Start in `reading.py`: `read_image` decodes every upload, through `pillow_io.py` or `dicom_io.py`.
"""
