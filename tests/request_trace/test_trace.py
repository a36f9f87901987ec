"""Traces of requests: three formats, published column names, and every problem with its line."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator import request_trace as trace
from simulator.errors import ScenarioError, StudyError

OWN = "arrival_s,input_tokens,output_tokens\n0,10,5\n1.5,12,6\n1.5,7,1\n"


@pytest.fixture
def written(tmp_path):
    """Write a text as a file; return its path."""

    def write(text, name="trace.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def problems(path):
    """Return what is wrong, as (line, column of the table, message)."""
    with pytest.raises(ScenarioError) as caught:
        trace.read(path)
    return [(p.line, p.path, p.message) for p in caught.value.problems]


def test_own_columns(written):
    found = trace.read(written(OWN))
    assert found.requests == 3
    assert list(found.arrival_s) == [0.0, 1.5, 1.5]
    assert list(found.input_tokens) == [10, 12, 7]
    assert list(found.output_tokens) == [5, 6, 1]
    assert list(found.priority) == list(found.cached_tokens) == [0, 0, 0]
    assert found.models is found.classes is found.blocks is None


def test_azures_dates_count_from_the_first(written):
    found = trace.read(
        written(
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n"
            "2023-11-16 18:15:50.9951690,396,109\n2023-11-17 18:15:46.6805900,1,1\n"
        )
    )
    np.testing.assert_allclose(found.arrival_s, [0.0, 4.314579, 86_400.0], rtol=1e-12)
    assert list(found.input_tokens) == [374, 396, 1]


def test_dates_with_a_zone_as_azure_writes_them_since_2024(written):
    found = trace.read(
        written(
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,2162,5\n"
            "2024-05-10 00:00:01.009930+00:00,2399,6\n"
        )
    )
    np.testing.assert_allclose(found.arrival_s, [0.0, 1.0], rtol=1e-12)


def test_mooncakes_milliseconds_and_blocks(tmp_path):
    rows = [
        {"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [7, 9, 2]},
        {"timestamp": 1500, "input_length": 600, "output_length": 6, "hash_ids": [7, 4]},
    ]
    path = tmp_path / "trace.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    found = trace.read(path)
    assert list(found.arrival_s) == [0.0, 1.5]
    start, numbers = found.blocks
    assert list(start) == [0, 3, 5]
    assert numbers[0] == numbers[3] and len(set(numbers)) == 4


def test_parquet_with_every_optional_column(tmp_path):
    table = pa.table({
        "arrival_s": [0.0, 1.0], "input_tokens": [1, 2], "output_tokens": [3, 4],
        "priority": [1, 0], "cached_tokens": [0, 1], "model": ["a", "b"], "class": ["chat", "code"],
        "prefix_blocks": [[1, 2], []],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    found = trace.read(tmp_path / "t.parquet")
    assert list(found.priority) == [1, 0] and list(found.cached_tokens) == [0, 1]
    assert found.models.to_pylist() == ["a", "b"]
    assert found.classes.to_pylist() == ["chat", "code"]
    assert list(found.blocks[0]) == [0, 2, 2]


def test_blocks_in_a_csv_are_numbers_between_blanks(written):
    text = 'arrival_s,input_tokens,output_tokens,hash_ids\n0,9,1,"[1, 2]"\n1,9,1,1 3\n'
    start, numbers = trace.read(written(text)).blocks
    assert list(start) == [0, 2, 4]
    assert numbers[0] == numbers[2] and numbers[1] != numbers[3]
    single = "arrival_s,input_tokens,output_tokens,hash_ids\n0,9,1,7\n1,9,1,7\n"
    assert list(trace.read(written(single)).blocks[1]) == [0, 0]


def test_every_problem_is_told_with_its_line(written):
    text = (
        "arrival_s,input_tokens,output_tokens\n0,10,5\n1,,5\n2,-3,5\n2,abc,2\n3,4\n\n4,5,1.5\n"
        "5,99999999999,0\n"
    )
    assert problems(written(text)) == [
        (3, "input_tokens", "is missing"),
        (4, "input_tokens", "is -3; 1 at least"),
        (5, "input_tokens", "is 'abc', not a number"),
        (6, "", "has 2 cells, not 3"),
        (8, "output_tokens", "is 1.5, not a whole number"),
        (9, "input_tokens", "is 1e+11; more than 10,000,000 is taken for a mistake"),
        (9, "output_tokens", "is 0; 1 at least"),
    ]


def test_an_unsorted_trace_is_an_error(written):
    (told,) = problems(written(OWN.replace("1.5,7", "1.4,7")))
    assert told == (4, "arrival_s", "arrives before the request above it; sort the trace")


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("-1", "before the start"),
        ("inf", "is inf"),
        ("nan", "is missing"),
        ("1e12", "a hundred years"),
    ],
)
def test_absurd_moments(written, moment, told):
    found = problems(written(OWN.replace("1.5,7,1", f"{moment},7,1")))
    assert any(told in message for _, _, message in found)


def test_many_lines_with_one_problem_are_counted(written):
    text = "arrival_s,input_tokens,output_tokens\n" + "0,0,1\n" * 200
    found = problems(written(text))
    assert len(found) == trace.SHOWN + 1
    assert found[-1][2].startswith("and 150 more from this line on: is 0")


def test_lines_of_jsonl(written):
    text = (
        '{"arrival_s":0,"input_tokens":5,"output_tokens":2}\n{"arrival_s":1,"input\n\n'
        '{"arrival_s":2,"input_tokens":"x","output_tokens":2}\n[1]\n'
    )
    found = problems(written(text, "t.jsonl"))
    assert [line for line, _, _ in found] == [2, 4, 5]
    assert found[1][1:] == ("input_tokens", "is 'x', not a number")
    assert found[2][2] == "is no object"


def test_blank_lines_of_jsonl_are_no_rows_but_lines(written):
    row = '{"arrival_s":%d,"input_tokens":%d,"output_tokens":2}\n'
    text = row % (0, 5) + "\n\n" + row % (1, -5)
    assert problems(written(text, "t.jsonl")) == [(4, "input_tokens", "is -5; 1 at least")]
    assert trace.read(written(text.replace("-", ""), "t.jsonl")).requests == 2


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("", "t.csv", "is no CSV"),
        ("arrival_s,input_tokens,output_tokens\n", "t.csv", "has no requests"),
        ("junk", "t.parquet", "is no Parquet"),
        ("arrival,input_tokens,output_tokens\n1,2,3\n", "t.csv", "did you mean 'arrival'?"),
        ("arrival_s,timestamp,input_tokens,output_tokens\n1,1,2,3\n", "t.csv", "mean the same"),
        (
            "arrival_s,input_tokens,output_tokens,hash_ids,prefix_blocks\n1,2,3,4,5\n",
            "t.csv",
            "has hash_ids and prefix_blocks, which mean the same; keep one",
        ),
        ("TIMESTAMP,input_tokens,output_tokens\nnever,2,3\n", "t.csv", "not a date and time"),
    ],
)
def test_files_that_are_no_trace(written, text, name, told):
    assert any(told in message for _, _, message in problems(written(text, name)))


def test_an_unknown_ending_names_the_known_ones(written):
    with pytest.raises(StudyError, match=r"\.csv, \.jsonl, \.parquet"):
        trace.read(written(OWN, "trace.xlsx"))


@pytest.mark.parametrize("name", ["cut.csv.gz", "cut.jsonl.gz"])
def test_a_file_that_was_cut_off(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(OWN.encode())[:30])
    assert "cannot be read" in problems(path)[0][2]


def test_compressed_text(tmp_path):
    path = tmp_path / "own.csv.gz"
    path.write_bytes(gzip.compress(OWN.encode()))
    assert trace.read(path).requests == 3


def test_windows_line_ends(written):
    assert trace.read(written(OWN.replace("\n", "\r\n"))).requests == 3


def test_a_misspelt_column_is_remarked_and_others_are_not(written):
    text = "arrival_s,input_tokens,output_tokens,prority,Class,user,priority\n0,10,5,3,chat,me,2\n"
    found = trace.read(written(text))
    assert found.remarks == (
        "column 'prority' is not read (did you mean 'priority'?)",
        "column 'Class' is not read (did you mean 'class'?)",
    )
    assert list(found.priority) == [2] and found.classes is None
    assert trace.read(written(OWN)).remarks == ()


def test_images_are_whole_numbers_and_may_be_left_out(written):
    head = "arrival_s,input_tokens,output_tokens"
    assert trace.read(written(f"{head}\n0,5,1\n")).images is None
    found = trace.read(written(f"{head},images\n0,5,1,0\n1,5,1,3\n"))
    assert list(found.images) == [0, 3]
    (line, column, told), *_ = problems(written(f"{head},images\n0,5,1,-1\n"))
    assert (line, column, told) == (2, "images", "is -1; 0 at least")
