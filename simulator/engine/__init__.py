"""The clock, the mutable state and the processes that change it."""
