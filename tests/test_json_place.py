"""The page's own reading of JSON: what it calls broken, where, and what it lays out."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

import pytest

from tests.support import ROOT

SCRIPT = """
import { faultIn, laidOut } from "%s/static/js/json_place.js";
const texts = JSON.parse(await new Promise((done) => {
  let all = ""; process.stdin.on("data", (more) => (all += more)); process.stdin.on("end", () => done(all));
}));
const read = (text) => ({ fault: faultIn(text), laid: faultIn(text) ? null : laidOut(text) });
console.log(JSON.stringify(texts.map(read)));
"""
VALID = [
    "0", "-1.0e+10", '"\\u00e9\\n"', "true", " null ", "[]", "{}", "[[[]]]", '{"a": [1, 2.50, {"b": null}], "": ""}',
    "12345678901234567890123", '["}{][,:", "\\\\", "\\""]', "[1,\n2 ,\t3]", '{"a":1,"a":2}',
]  # fmt: skip


def read_by_the_page(texts: list[str]) -> list[dict[str, Any]]:
    command = ["node", "--input-type=module", "-e", SCRIPT % ROOT]
    done = subprocess.run(command, input=json.dumps(texts).encode(), capture_output=True, check=True, timeout=60)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def is_json(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def json_without_blanks(text: str) -> list[str]:
    inside, kept, escaped = False, [], False
    for character in text:
        if inside or character not in " \t\r\n":
            kept.append(character)
        if inside:
            inside, escaped = escaped or character != '"', character == "\\" and not escaped
        elif character == '"':
            inside = True
    return kept


def test_it_agrees_with_python_on_what_is_json() -> None:
    chance = random.Random(7)
    texts = list(VALID)
    for _ in range(600):
        letters = list(chance.choice(VALID))
        for _ in range(chance.randint(1, 2)):
            place = chance.randrange(len(letters) + 1)
            piece = chance.choice(
                ["", ",", "}", "]", "{", "[", '"', ":", "0", "-", ".", "e", "\\", "x", "\n", "NaN", "\u2028"]
            )
            letters[place : place + chance.randint(0, 1)] = piece
        texts.append("".join(letters))

    for text, found in zip(texts, read_by_the_page(texts), strict=True):
        assert (found["fault"] is None) == is_json(text), text


def test_what_it_lays_out_keeps_every_token() -> None:
    for text, found in zip(VALID, read_by_the_page(VALID), strict=True):
        assert json_without_blanks(found["laid"]) == json_without_blanks(text)
        assert found["laid"].count("\n") == json.dumps(json.loads(text), indent=2).count("\n") or '"a":2' in text


def test_no_nesting_is_too_deep_for_it() -> None:
    (broken, whole) = read_by_the_page(["[" * 100_000, "[" * 50_000 + "]" * 50_000])

    assert broken["fault"]["column"] == 100_001
    assert whole["fault"] is None


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{"a": 1,\n "b": }', 2, 7, "a value is expected here"),
        ("[1 2]", 1, 4, "a comma or ] is expected here"),
        ('{"a" 1}', 1, 6, "a colon is expected here"),
        ("{a: 1}", 1, 2, "a name in double quotes is expected here"),
        ("{} x", 1, 4, "the end is expected here"),
        ("[01]", 1, 2, "a value is expected here"),
        ("", 1, 1, "a value is expected here"),
    ],
)
def test_the_place_of_a_fault_is_told(text: str, line: int, column: int, message: str) -> None:
    (found,) = read_by_the_page([text])

    assert found["fault"] == {"line": line, "column": column, "message": message}
