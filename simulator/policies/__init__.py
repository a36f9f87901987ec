"""Small decisions: (view, request) -> decision. No clock, no I/O, one file each."""
