"""Hand freed memory back to the system: compiling networks and decoding photographs take a lot for a moment."""

import ctypes
import sys

# From glibc's malloc.h: parameter of mallopt -> value in bytes. Fixed limits; by themselves they grow with
# what was freed, and 24 megapixels then leave 70 MB behind.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LIMITS = {M_TRIM_THRESHOLD: 2**20, M_MMAP_THRESHOLD: 2**18}


def return_freed_memory() -> None:
    """Let glibc give back what is freed; nothing where the C library is another one."""
    if sys.platform.startswith("linux"):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        for name, value in LIMITS.items() if mallopt else ():
            mallopt(name, value)
