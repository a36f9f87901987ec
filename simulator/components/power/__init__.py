"""The power chain, one file per kind of element."""
