"""Validation tables as people write them: read whole, or every problem told with its place."""

import pytest

from simulator.errors import ScenarioError
from simulator.studies.validate.table import read


@pytest.fixture
def table(tmp_path):
    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def problems(*paths):
    with pytest.raises(ScenarioError) as told:
        read(paths)
    return [(p.line, p.path, p.message) for p in told.value.problems]


def test_the_header_is_authoritative_and_blanks_are_blanks(table):
    (row,) = read([table("colour,measured,tp,topic\nred, 2.5 ,,training\n")])
    assert row.cells == {"colour": "red", "measured": "2.5", "tp": "", "topic": "training"}
    assert row.measured == 2.5 and row.topic == "training" and row.line == 2


def test_a_row_without_a_name_is_called_by_its_place(table):
    rows = read([table("topic,id,measured\nx,,1\nx,mine,1\n")])
    assert [row.id for row in rows] == ["t.csv:2", "mine"]


def test_marks_quotes_blank_lines_and_line_ends_do_not_matter(table):
    text = b'\xef\xbb\xbftopic,measured,note\r\n\r\nx,1,"a, b\nc"\r\n,,\r\nx,2,\r\n'
    rows = read([table(text)])
    assert [row.measured for row in rows] == [1.0, 2.0]
    assert rows[0].cells["note"] == "a, b\nc"


def test_a_blank_measurement_is_to_be_predicted_blind(table):
    (row,) = read([table("topic,measured\nx,\n")])
    assert row.measured is None


def test_tables_follow_each_other_in_order(table):
    a, b = table("topic,measured\nx,1\n", "a.csv"), table("measured,topic\n2,y\n3,z\n", "b.csv")
    assert [row.topic for row in read([b, a])] == ["y", "z", "x"]


def test_a_header_alone_is_a_table_without_rows(table):
    assert read([table("topic,measured\n")]) == []


def test_every_problem_of_every_table_is_told_with_file_and_line(table, tmp_path):
    bad = table("topic,measured\nx,fast\n,1\nx,nan\nx,1,2\nx,inf\n", "a.csv")
    lacking = table("topik,value\nx,1\n", "b.csv")
    with pytest.raises(ScenarioError) as told:
        read([bad, lacking, tmp_path / "none.csv"])
    places = [(p.file.rsplit("/", 1)[-1], p.line) for p in told.value.problems]
    assert places == [("a.csv", n) for n in range(2, 7)] + [("b.csv", 1)] * 2 + [("none.csv", 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("topik,measured\nx,1\n", "no column 'topic' (did you mean 'topik'?)"),
        ("topic\nx\n", "no column 'measured'"),
        ("", "no column 'topic'"),
        ("topic,measured,topic\nx,1,y\n", "2 columns are called 'topic'"),
        ('topic,measured\nx,"1\n', "not CSV"),
        ("topic,measured\nx\n", "1 cells under 2 columns"),
        (b"topic,measured\nx,\xff\n", "not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(table, text, message):
    assert any(message in told for _, _, told in problems(table(text)))


def test_a_huge_table_is_read_whole(table):
    body = "".join(f"x,{i},{'y' * 50}\n" for i in range(100_000))
    rows = read([table("topic,measured,note\n" + body)])
    assert len(rows) == 100_000 and rows[-1].measured == 99_999.0
