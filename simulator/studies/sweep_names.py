"""Names of the files in the folder of a sweep."""

DESIGN = "sweep.json"
RUNS = "runs.parquet"
UNITS = "kpis.csv"
