"""How the inner functions of large kernels are compiled: for other kernels alone.

They get arrays that their caller owns, so no references are counted, which would cost more than the
work itself; nor do they need an entry from Python. `inlined` is for what runs for every event.
"""

from numba import njit

inner = njit(cache=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
inlined = njit(
    cache=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
)
