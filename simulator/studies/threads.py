"""Libraries kept to one thread.

Processes of a study share the machine, and the sums of linear algebra, which a library splits by its
threads, end in the same bits on any number of cores.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""What libraries ask for how many threads they may have."""


def one_thread_each() -> None:
    """Keep libraries to one thread, here and in processes forked from here; before they are imported."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
