"""The network fabric."""
