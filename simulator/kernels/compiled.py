"""How large kernels are compiled: one way in, and inner functions for other kernels alone.

Arrays belong to the caller, so no references are counted, which would cost more than the work itself.
`inlined` is for what runs for every event; only `entry` can be called from Python.
"""

from typing import Any

from numba import njit

_COMMON: dict[str, Any] = {"cache": True, "_nrt": False}
_INNER: dict[str, Any] = {**_COMMON, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

entry = njit(**_COMMON, nogil=True)
inner = njit(**_INNER)
inlined = njit(**_INNER, forceinline=True)
