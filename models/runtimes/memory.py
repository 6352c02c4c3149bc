"""Hand freed memory back to the system: compiling networks and decoding photographs take a lot for a moment."""

import ctypes
import sys

# From glibc's malloc.h: parameter of mallopt -> value in bytes. Fixed limits; by themselves they grow with
# what was freed, and 24 megapixels then leave 70 MB behind. Lower ones cost time: an array of 6 MB that is
# handed back at once comes back page by page (measured: Grad-CAM took three times as long).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LIMITS = {M_TRIM_THRESHOLD: 2**23, M_MMAP_THRESHOLD: 2**23}


def return_freed_memory() -> None:
    """Let glibc give back what is freed; nothing where the C library is another one."""
    if sys.platform.startswith("linux"):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        for name, value in LIMITS.items() if mallopt else ():
            mallopt(name, value)
