"""JSON as markup that folds: every character kept, nothing but text, bounded whatever it is made of."""

from __future__ import annotations

import html
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbin.bodies.budget import BY_SIZE, Budget
from hookbin.web.html.json_tree import MAX_DEPTH, MAX_FOLDS, folded

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def shown(markup: str) -> str:
    """What a browser shows: a line of its own for each block."""
    lines = re.sub(r"</summary>(?=.)|(?<!^)(?=<details)|</details>(?=<)", "\n", markup, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]*>", "", lines))
    return re.sub(r"\n+", "\n", text).strip("\n")


@settings(max_examples=60, deadline=None)
@given(value=VALUES, start=st.integers(0, 200), end=st.integers(0, 400))
def test_every_character_is_kept_of_any_page_of_any_value(value: object, start: int, end: int) -> None:
    page = json.dumps(value, indent=2, ensure_ascii=False)[start:end]
    if any(mark in page for mark in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        return
    markup = str(folded(page, BY_SIZE))
    assert shown(markup) == re.sub(r"\n+", "\n", page).strip("\n")
    assert set(re.findall(r"</?([a-z]+)", markup)) <= {"details", "summary", "span"}
    assert markup.count("<details") == markup.count("</details>") == markup.count("<summary")
    assert markup.count("<span") == markup.count("</span>")


def test_what_is_folded_says_how_much_it_holds_and_how_it_ends() -> None:
    markup = folded(json.dumps([{"a": 1, "b": {}}, 2], indent=2), BY_SIZE)
    assert re.findall('data-n="([^"]*)"', markup) == ["2 … ]", "2 … },"]


@pytest.mark.parametrize(
    ("name", "value", "time"),
    [
        ("created", 1700000000, "2023-11-14 22:13:20 UTC"),
        ("expires_at", 1700000000123, "2023-11-14 22:13:20 UTC"),
        ("sentAt", 1700000000123456, "2023-11-14 22:13:20 UTC"),
        ("event_ts", "1700000000.000005", "2023-11-14 22:13:20 UTC"),
        ("exp", 1700000000, "2023-11-14 22:13:20 UTC"),
        ("id", 1700000000, None),
        ("timeout", 30, None),
        ("created", 99999999999, None),
        ("created", "yesterday", None),
    ],
)
def test_a_number_is_a_time_by_its_name_and_size(name: str, value: object, time: str | None) -> None:
    found = re.search('data-at="([^"]*)"', folded(json.dumps({name: value}, indent=2), BY_SIZE))
    assert (found[1] if found else None) == time


def test_only_so_many_levels_and_objects_fold_and_one_that_does_not_is_one_line_of_its_list() -> None:
    deep = folded("\n".join(["["] * 200 + ["]"] * 200), BY_SIZE)
    wide = folded("[\n" + '  {\n    "a": 1\n  },\n' * (MAX_FOLDS + 5) + "  2\n]", BY_SIZE)
    assert deep.count("<details") == MAX_DEPTH
    assert wide.count("<details") == MAX_FOLDS
    assert f'data-n="{MAX_FOLDS + 6} … ]"' in wide


def test_what_there_is_no_time_for_stays_plain_text() -> None:
    text = json.dumps(["<b>"] * 1000, indent=2)
    assert shown(folded(text, Budget(lambda: 0.0, seconds=0))) == text
