"""Gigawatt-scale AI campus simulator."""
