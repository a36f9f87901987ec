"""Hardware kinds. One file per kind: its spec, its columns and its physics."""
