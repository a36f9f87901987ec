"""Numba loops: arrays in, arrays out. No project imports from above, no objects, no units."""
