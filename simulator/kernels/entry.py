"""The bare entry point of a compiled kernel.

A call through Numba's dispatcher looks up the type of every array first, 0.1 us each; for the site
step that is 15 us, three times what passing the arguments takes. The types never change in a run,
so the engine asks once and calls the entry point. Nor do they change between runs of one process:
what Numba takes 5 ms to work out for the hundreds of arrays of a run is kept by what decides it.
"""

import numpy as np
from numba import typeof

_known: dict = {}


def entry_of(kernel, *arguments):
    """Compile `kernel` for these arguments and return its entry point (the kernel itself where
    compilation is switched off)."""
    if not hasattr(kernel, "overloads"):
        return kernel
    key = (kernel, _form(arguments))
    if key not in _known:
        signature = tuple(typeof(argument) for argument in arguments)
        kernel.compile(signature)
        _known[key] = kernel.overloads[signature].entry_point
    return _known[key]


def _form(argument):
    """Return what decides the type that Numba gives an argument."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        layout = flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned
        return argument.dtype, argument.ndim, layout
    if isinstance(argument, tuple):
        return type(argument), tuple([_form(part) for part in argument])
    return type(argument)
