"""What a run's tables mean: pure functions of `Results`, and the definition of every KPI.

Series-like metrics share one signature, `(results, by=None, every=None) -> DataFrame`. `by` splits
the answer (by element, chip, cause, ...; None adds everything up) and `every` is a pandas period
("h", "D", "MS"; None takes the whole run). Columns carry their unit as a suffix.
"""
