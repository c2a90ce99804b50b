"""What holds for the whole house: documented settings and errors, imports that run one way, nothing out of its room."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from hookbin import errors
from hookbin.answers.presets import PRESETS
from hookbin.capture.faults import WAYS
from hookbin.config import Settings
from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.exports.formats import BIN_FORMATS, REQUEST_FORMATS
from hookbin.models.answers import Fault
from hookbin.models.bins import DIGESTS, DigestEncoding
from hookbin.models.deliveries import ErrorClass
from hookbin.problems import STATUS, status_of
from hookbin.signatures.schemes import SCHEMES
from hookbin.signatures.styles import STYLES
from hookbin.web.routes import API, PAGES
from tests.support import ROOT

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "hookbin").rglob("*.py"))
}
HOUSE = [name for name in MODULES if name != "hookbin"]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
T = TypeVar("T")


def found_in(places: Iterable[T], search: Callable[[T], object]) -> dict[T, object]:
    """What the search finds, by the places where it finds something."""
    return {place: found for place in places if (found := search(place))}


# Documents


def table(document: str) -> list[list[str]]:
    """The cells of the first table of a document."""
    lines = (ROOT / "docs" / document).read_text().partition("\n|")[2].splitlines()[2:]
    found = takewhile(lambda line: line.startswith("|"), lines)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found]
    assert rows
    return rows


def test_every_setting_is_documented_with_its_flag_and_variable_and_default() -> None:
    documented = {row[0].split(",")[0].strip("`"): row for row in table("settings.md")}
    defaults = dict(zip(Settings.__struct_fields__, msgspec.structs.astuple(Settings()), strict=True))

    assert documented.keys() == {f"--{name.replace('_', '-')}" for name in Settings.__struct_fields__}
    for name, default in defaults.items():
        row = documented[f"--{name.replace('_', '-')}"]
        assert f"`HOOKBIN_{name.upper()}`" in row[1]
        assert row[3]
        if isinstance(default, (int, str)) and not isinstance(default, bool):
            assert row[2].strip("`") == str(default), name


def test_every_test_that_a_document_names_is_there() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    known = set(re.findall(r"def (test_\w+)", tests)) | {path.name for path in (ROOT / "tests").glob("test_*.py")}
    named = [name for path in (ROOT / "docs").glob("*.md") for name in re.findall(r"`(test_[\w.]+)`", path.read_text())]

    assert named
    assert set(named) <= known


def every_error(branch: type[errors.HookbinError] = errors.HookbinError) -> Iterator[type[errors.HookbinError]]:
    yield branch
    for child in branch.__subclasses__():
        yield from every_error(child)


ERRORS = list(every_error())
SENT_THEMSELVES = (errors.HookbinError, errors.InvalidInput, errors.NotFound, errors.StorageFailed)
"""Classes that others stand below, and that are raised all the same."""
DOCUMENTED = [error for error in ERRORS if error in SENT_THEMSELVES or not error.__subclasses__()]


def test_every_error_is_documented_with_its_status() -> None:
    documented = {row[0].strip("`"): row for row in table("errors.md")}

    assert documented.keys() == {error.code for error in DOCUMENTED}
    for error in DOCUMENTED:
        _, status, when, what_to_do = documented[error.code]
        assert status == ("none" if error is errors.StartError else str(status_of(error))), error
        assert when.endswith((".", ")"))
        assert what_to_do.endswith(".")


def test_the_documented_errors_stand_in_the_order_of_their_status() -> None:
    statuses = [int(row[1]) for row in table("errors.md") if row[1] != "none"]

    assert statuses == sorted(statuses)


def test_every_error_has_a_code_and_a_title_of_its_own_and_a_status() -> None:
    for error in ERRORS:
        assert {"code", "title"} <= vars(error).keys(), error
        assert [other for other in ERRORS if other.code == error.code] == [error]
        assert re.fullmatch(r"[a-z_]+", error.code)
        if error not in (errors.HookbinError, errors.StartError):
            ancestors = error.__mro__[: error.__mro__.index(errors.HookbinError)]
            assert any(ancestor in STATUS for ancestor in ancestors), error


def test_the_tree_in_the_docstring_is_not_older_than_the_code() -> None:
    names = set(re.findall(r"\b[A-Z][a-z]+[A-Z]?\w*\b", errors.__doc__ or ""))

    assert {child.__name__ for child in errors.HookbinError.__subclasses__()} - names <= {"MethodNotAllowed"}


def test_every_room_stands_in_the_plan_of_the_house() -> None:
    rooms = (ROOT / "docs" / "architecture.md").read_text().partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)(?:\.py|/)?`", rooms))

    assert {module.split(".")[1] for module in MODULES if "." in module} - named == {"__main__"}


def test_every_class_of_error_stands_in_its_table_and_is_documented() -> None:
    documented = (ROOT / "docs" / "delivery.md").read_text().partition("\n| error |")[2].partition("\n\n")[0]

    assert list(ERROR_CLASSES) == list(ErrorClass)
    assert re.findall(r"^\| `(\w+)` \|", documented, re.MULTILINE) == list(ErrorClass)


def test_every_fault_has_its_way() -> None:
    assert list(WAYS) == list(Fault)


# Imports


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The full name of each module that the statement needs."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.module is not None
    assert node.level == 0
    for alias in node.names:
        full = f"{node.module}.{alias.name}"
        yield full if full in MODULES else node.module


@cache
def imports(module: str) -> set[str]:
    """Everything a module imports, wherever in it, typing-only imports included."""
    nodes = (node for node in ast.walk(tree(module)) if isinstance(node, ast.Import | ast.ImportFrom))
    return {name for node in nodes for name in imported(node)}


def own_imports(module: str) -> set[str]:
    return {name for name in imports(module) if name in MODULES and name != "hookbin"}


ROOMS = (
    ("__main__",),
    ("cli", "testing"),
    ("client",),
    ("server",),
    ("app",),
    ("web",),
    ("capture",),
    ("config",),
    ("dispatch",),
    ("wire",),
    ("store",),
    ("live",),
    ("exports",),
    ("shapes",),
    ("answers", "templating"),
    ("conditions",),
    ("delivery",),
    ("signatures",),
    ("bodies",),
    ("problems",),
    ("text",),
    ("models",),
    ("names", "logs", "peers"),
    ("http_fields",),
    ("errors", "clock"),
)
"""From the top down; a room imports only what stands below it, or its own files."""
FLOORS = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
RULES = ("answers", "conditions", "signatures", "delivery", "bodies", "exports", "shapes")
"""Rooms that do no I/O and never ask what time it is."""
INPUT_OR_OUTPUT = ("asyncio", "socket", "sqlite3", "httpx", "aiohttp", "starlette")


def room(module: str) -> str:
    return module.split(".")[1]


def test_imports_run_one_way() -> None:
    for module in HOUSE:
        assert room(module) in FLOORS, f"{module} is in no room"
        others = {room(name) for name in own_imports(module)} - {room(module)}
        assert {other for other in others if FLOORS[other] <= FLOORS[room(module)]} == set(), module


def folder(module: str) -> str:
    return module if MODULES[module].stem == "__init__" or module.count(".") == 1 else module.rpartition(".")[0]


def test_there_is_no_circle_of_folders() -> None:
    """Not even between the folders of one room; a folder and what lies in it count as two."""
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        graph.setdefault(folder(module), set()).update(folder(name) for name in own_imports(module))
    for name, others in graph.items():
        others.discard(name)

    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_rules_do_no_input_or_output() -> None:
    rules = [module for module in HOUSE if room(module) in RULES]

    assert found_in(rules, lambda module: imports(module) & {*INPUT_OR_OUTPUT}) == {}


def test_the_store_does_not_know_the_timeline() -> None:
    store = [module for module in HOUSE if room(module) == "store"]

    assert found_in(store, lambda module: imports(module) & {"hookbin.live.timeline"}) == {}


def test_there_is_no_circle_of_imports() -> None:
    graph = {module: own_imports(module) for module in MODULES}

    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def functions(module: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_nothing_is_imported_inside_a_function_to_dodge_a_circle() -> None:
    def inside(module: str) -> list[str]:
        nodes = (node for function in functions(module) for node in ast.walk(function))
        return [ast.unparse(node) for node in nodes if isinstance(node, ast.ImportFrom | ast.Import)]

    assert found_in(MODULES, inside) == {}


def test_a_module_says_first_what_it_owns() -> None:
    for module in MODULES:
        lines = (ast.get_docstring(tree(module)) or "").splitlines()
        assert lines, module
        assert lines[0].endswith((".", ";", ":", ",", "?")) or len(lines) > 1, module


# Rooms


def strings(module: str) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def names_used(module: str) -> set[str]:
    """Dotted names such as `time.monotonic`, as far as they stand in the source."""
    return {ast.unparse(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}


def test_events_and_deliveries_are_made_in_the_factory_alone() -> None:
    """The store builds those that it reads."""
    makers = {
        module
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Event", "Delivery")
    }

    assert {module for module in makers if room(module) != "store"} == {"hookbin.dispatch.event_factory"}


SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|PRAGMA)\b", re.S)


def test_sql_is_in_the_store_alone() -> None:
    others = [module for module in MODULES if not module.startswith("hookbin.store")]

    assert found_in(others, lambda module: [text for text in strings(module) if SQL.search(text)]) == {}
    assert found_in(others, lambda module: imports(module) & {"sqlite3"}) == {}


def test_captured_requests_are_deleted_in_one_place_which_keeps_their_highest_number() -> None:
    deleting = [name for name in MODULES if "DELETE FROM requests" in MODULES[name].read_text()]
    assert deleting == ["hookbin.store.delete_requests"]


def test_no_blob_is_opened_since_python_keeps_a_reference_to_each() -> None:
    assert [name for name in MODULES if "blobopen" in MODULES[name].read_text()] == []


READERS = {
    "brotli": {"hookbin.bodies.compression"},
    "zstandard": {"hookbin.bodies.compression"},
    "zlib": {"hookbin.bodies.compression"},
    "urllib.parse.parse_qsl": {"hookbin.signatures.schemes", "hookbin.web.rest.routing"},
}
"""What takes bodies and queries apart, and who may use it besides the one reading: what is signed, our forms."""


@pytest.mark.parametrize("name", READERS)
def test_bodies_and_queries_are_taken_apart_in_one_place(name: str) -> None:
    module, _, function = name.rpartition(".")

    def uses(node: ast.AST) -> bool:
        if isinstance(node, ast.ImportFrom) and function and module:
            return node.module == module and function in {alias.name for alias in node.names}
        return isinstance(node, ast.Import) and name in {alias.name for alias in node.names}

    assert {module for module in MODULES if any(map(uses, ast.walk(tree(module))))} == READERS[name]


def test_the_search_for_sql_finds_the_store_s() -> None:
    assert any(SQL.search(text) for text in strings("hookbin.store.requests"))


def test_a_function_is_named_after_what_it_does() -> None:
    assert found_in(MODULES, lambda module: {node.name for node in functions(module)} & {"work"}) == {}


def test_a_delivery_changes_in_one_file_alone() -> None:
    """Where the table of its states is asked, and the one statement stands."""
    states = "hookbin.store.delivery_states"

    assert [name for name in MODULES if "UPDATE deliveries" in MODULES[name].read_text()] == [states]
    assert [name for name in MODULES if "TRANSITIONS" in MODULES[name].read_text()] == [
        "hookbin.models.deliveries",
        states,
    ]


TIMES = re.compile(
    r"\b(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|sleep)|(datetime|date)\.(now|utcnow|today))$"
)


def test_the_time_is_asked_of_the_clock_alone() -> None:
    others = [module for module in MODULES if module != "hookbin.clock"]

    assert found_in(others, lambda module: imports(module) & {"time"}) == {}
    assert found_in(others, lambda module: [name for name in names_used(module) if TIMES.search(name)]) == {}


def test_the_search_for_the_time_finds_the_clock_s() -> None:
    assert any(TIMES.search(name) for name in names_used("hookbin.clock"))


READ_BY_THE_COMMAND_LINE = {"os.environ", "os.getenv", "os.environb", "sys.argv", "environ", "click", "argparse"}


def test_arguments_and_environment_are_read_by_the_command_line_alone() -> None:
    others = [module for module in MODULES if not module.startswith("hookbin.cli")]

    assert found_in(others, lambda module: (names_used(module) | imports(module)) & READ_BY_THE_COMMAND_LINE) == {}


HELD_BY_NO_TEMPLATE = {
    "a script or a style": r"<script(?![^>]*\ssrc=)[^>]*>|<style\b|\sstyle\s*=|\son[a-z]+\s*=|javascript:",
    "something from elsewhere": r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//(?!github\.com/)[^"'\s>]+""",
    "a form that puts what is typed into the URL without a script": r"<form(?![^>]*\s(?:method|action)=)[^>]*>",
    "a limit": r"""\s(?:max|min|maxlength|minlength|size|pattern)\s*=\s*["']?[^"'{>]*\d""",
}
"""The Content-Security-Policy would let none of the first two work, and limits are handed to a template."""


@pytest.mark.parametrize("what", HELD_BY_NO_TEMPLATE)
def test_no_template_holds(what: str) -> None:
    assert found_in(TEMPLATES, lambda template: re.findall(HELD_BY_NO_TEMPLATE[what], template.read_text())) == {}


REGISTRIES: dict[str, set[str]] = {
    "formats of a request": set(REQUEST_FORMATS),
    "formats of a bin": set(BIN_FORMATS),
    "faults": set(Fault),
    "presets": {preset.name for preset in PRESETS},
    "signature schemes": set(SCHEMES),
    "signature styles": set(STYLES),
    "digests": set(DIGESTS),
    "encodings": set(DigestEncoding),
}
LITERALS = re.compile(r"\[\[.*?\]\]|\{\s*\".*?\}", re.DOTALL)


def test_a_template_lists_nothing_that_a_registry_lists() -> None:
    def doubled(template: Path) -> list[str]:
        listed = [set(re.findall(r'"([\w-]+)"', literal)) for literal in LITERALS.findall(template.read_text())]
        return [name for name, members in REGISTRIES.items() for words in listed if len(words & members) > 1]

    assert found_in(TEMPLATES, doubled) == {}


def test_no_test_sleeps() -> None:
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        used = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
        assert used.isdisjoint({"time.sleep", "sleep"}), path.name


# Routes


def test_every_route_is_listed_once() -> None:
    listed = [(route.method, route.path) for route in API]
    listed += [(method, page.path) for page in PAGES for method in page.methods or ()]

    assert len(listed) == len(set(listed))


def test_every_handler_has_its_route_and_says_what_it_does() -> None:
    handlers = {
        (module, node.name)
        for module in MODULES
        if module.startswith("hookbin.web.")
        for node in tree(module).body
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
        if [arg.arg for arg in node.args.args] == ["call"]
    }

    assert handlers == {(route.handler.__module__, route.handler.__name__) for route in API}
    for route in API:
        assert route.summary[:1].isupper(), route.path
        assert route.description.endswith((".", ")")), route.path


def test_routes_stand_in_their_table_alone() -> None:
    using = {module for module in MODULES if "starlette.routing" in imports(module)}

    assert using == {"hookbin.web.routes", "hookbin.web.site"}


# Limits


def test_a_limit_of_the_api_has_the_name_of_its_rule() -> None:
    """The settings have theirs in their own one place."""

    def literal_limits(module: str) -> list[object]:
        keywords = [
            keyword
            for node in ast.walk(tree(module))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Meta"
            for keyword in node.keywords
        ]
        limits = [one.value for one in keywords if one.arg in ("le", "lt", "max_length")]
        return [limit.value for limit in limits if isinstance(limit, ast.Constant) and limit.value != 1]

    assert found_in((module for module in MODULES if module != "hookbin.config"), literal_limits) == {}


_READS = re.compile(
    r"\.stores\.(deliveries\.(get|list|attempts?|of_events|count_pending|ahead_of)|events\.(get|list)"
    r"|requests\.(get|list|of_attempts)|log\.\w+)\(|^(deliveries\.)?(find|describe)\("
)


def test_what_one_answer_is_made_of_is_read_in_one_snapshot() -> None:
    for module in (name for name in MODULES if name.startswith("hookbin.web.")):
        for function in functions(module):
            apart = [ast.unparse(read) for read in _reads_apart(function)]
            assert len(apart) < 2, f"{module}.{function.name} reads more than once: {apart}"


def _reads_apart(node: ast.AST) -> Iterator[ast.AST]:
    """What is awaited from the store outside of a snapshot."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.AsyncWith) and "snapshot()" in ast.unparse(child.items[0]):
            continue
        if isinstance(child, ast.Await) and _READS.search(ast.unparse(child.value)):
            yield child.value
        yield from _reads_apart(child)
