"""The tables of a run as files."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from simulator import results


def test_words_are_written_once_and_figures_as_they_are(tmp_path):
    path = tmp_path / "table.parquet"
    table = pd.DataFrame({
        "element": pd.Categorical(["a", "b"] * 50), "power_w": np.linspace(0.0, 1.0, 100), "count": range(100),
    })
    results._write([table], False, path)
    group = pq.ParquetFile(path).metadata.row_group(0)
    assert [group.column(i).has_dictionary_page for i in range(3)] == [True, False, True]
    pd.testing.assert_frame_equal(pd.read_parquet(path), table)
