"""Modules that are imported when they are first used: by whichever name, and only then."""

import subprocess
import sys

import pytest

from simulator.cli import later

SHELF, BOOK = "gigawatt_shelf", "gigawatt_shelf.book"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A package with a part, each of which notes that it was loaded."""
    folder = tmp_path / SHELF
    folder.mkdir()
    notes = tmp_path / "notes"
    note = f"open({str(notes)!r}, 'a').write(__name__ + ' ')\n"
    (folder / "__init__.py").write_text(note + "__version__ = '7'\n")
    (folder / "book.py").write_text(note + "pages = 300\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: notes.read_text().split() if notes.exists() else []
    for name in (SHELF, BOOK):
        sys.modules.pop(name, None)


def test_nothing_is_loaded_before_it_is_used(shelf):
    later.put_off((SHELF, BOOK))
    import gigawatt_shelf.book as book

    assert shelf() == []
    assert book.pages == 300
    assert shelf() == [SHELF, BOOK]
    assert sys.modules[BOOK].pages == 300 and not isinstance(sys.modules[BOOK], type(book))


def test_a_package_gives_its_own_names_and_its_parts(shelf):
    later.put_off((SHELF, BOOK))
    import gigawatt_shelf

    assert gigawatt_shelf.book.pages == 300 and gigawatt_shelf.__version__ == "7"
    from gigawatt_shelf.book import pages

    assert pages == 300 and shelf() == [SHELF, BOOK]


def test_a_part_that_was_not_named_loads_the_package(shelf):
    later.put_off((SHELF,))
    import gigawatt_shelf.book

    assert gigawatt_shelf.book.pages == 300 and shelf() == [SHELF, BOOK]


def test_a_missing_name_is_missed(shelf):
    later.put_off((SHELF,))
    import gigawatt_shelf

    with pytest.raises(AttributeError, match="has no attribute 'author'"):
        gigawatt_shelf.author  # noqa: B018


def test_what_is_there_stays_and_what_is_not_is_not_found(shelf):
    import gigawatt_shelf.book

    later.put_off((SHELF, BOOK, "gigawatt_no_such_shelf"))
    assert sys.modules[BOOK] is gigawatt_shelf.book
    with pytest.raises(ModuleNotFoundError):
        import gigawatt_no_such_shelf  # noqa: F401


def test_commands_start_without_what_only_tables_need():
    """Whoever annotates with a table without `from __future__ import annotations` loads it at once."""
    commands = "check", "contingency", "run", "time_to_limit"
    lines = [
        "import sys", "from simulator.cli import later", "later.put_off()",
        *(f"import simulator.cli.{name}" for name in commands),
        "print([name for name in sys.modules if name in ('pandas.core', 'pyarrow.lib', 'scipy.optimize')])",
    ]  # fmt: skip
    told = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
