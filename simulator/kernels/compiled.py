"""How large kernels are compiled: which ways lead in, and what becomes part of its caller.

Arrays belong to the caller, so no references are counted, which would cost more than the work itself:
a compiled function that takes the hundreds of arrays of a site spends 3 us on handing them over. What
is `inlined` takes none. Such kernels make no arrays; `scratch.Scratch` is their room. Python that calls
what is for kernels alone ends at once, without a message.
"""

import os
from typing import Any

from numba import config, njit

os.environ["NUMBA_SLP_VECTORIZE"] = "1"
config.SLP_VECTORIZE = 1  # type: ignore[attr-defined]
"""Equal work on neighbouring values becomes vectors, as in `racks.py`; no sum is taken in another
order for it, so the numbers stay the same. Numba reads its environment anew whenever a variable of its own
changes, and forgets what it was told here alone."""
_COMMON: dict[str, Any] = {"cache": True, "_nrt": False, "no_cfunc_wrapper": True}
_INNER: dict[str, Any] = {**_COMMON, "no_cpython_wrapper": True}

entry = njit(**_COMMON, nogil=True)
"""For Python to call."""
inner = njit(**_INNER)
"""For other kernels alone, called by them: what happens seldom, or in several places."""
inlined = njit(**_INNER, forceinline=True)
"""For other kernels alone, and part of them: what happens in every step or for every event."""
folded = njit(**_INNER, inline="always")
"""As `inlined`, for what is called in one place: part of its caller before the compiler sees either, which
then makes faster code of both (a tenth of a step)."""
shared = njit(**_COMMON, forceinline=True)
"""Part of other kernels, and for Python to call."""
