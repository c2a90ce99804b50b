"""Rendering the template of an answer. Only ever done in a process of its own: see `templating.worker`.

The sandbox keeps a template away from Python's insides and bounds what it writes. It can not bound time
and memory: a filter with a large number in it takes both in a single step, some of that while the template
is only being compiled. Their limits are those of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from hookbin.bodies import limits
from hookbin.bodies.forms import query_pairs
from hookbin.bodies.json_values import NOTHING, printable
from hookbin.bodies.reading import Reading
from hookbin.models.common import Headers
from hookbin.text import wire

MAX_OUTPUT = 256 * 1024
"""Characters that a template may write."""
_MAX_REASON = 300


class TemplateRequest(Struct, frozen=True, kw_only=True):
    """A request as a template sees it, before anything of it was read; text is latin-1."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


class RenderJob(Struct, frozen=True, kw_only=True):
    """A template to be rendered for a request, or only to be compiled; with a body those of header values."""

    source: str
    values: tuple[str, ...] = ()
    request: TemplateRequest | None = None


class RenderResult(Struct, frozen=True, kw_only=True):
    """What became of it; either there is an error, or a text."""

    text: str | None = None
    values: tuple[str, ...] = ()
    error: str | None = None
    took_too_much: bool = False
    """Time or memory."""


class _Fields(dict[str, str]):
    """Headers by name in any case; several of one name are joined as one list (RFC 9110, 5.3)."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class _Missing(StrictUndefined):
    """Says of a header that is not there what a person would."""

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, _Fields) and not self._undefined_hint:
            return f"the request has no header {self._undefined_name!r}"
        return super()._undefined_message


def render(job: RenderJob) -> RenderResult:
    try:
        templates = [_compiled(source) for source in (job.source, *job.values)]
        if job.request is None:
            return RenderResult(text="")
        request = _Request(job.request)
        text, *values = (_render(template, request) for template in templates)
        return RenderResult(text=text, values=tuple(values))
    except TemplateSyntaxError as error:
        return RenderResult(error=_reason(f"line {error.lineno}: {error.message}"))
    except MemoryError:
        raise
    except RecursionError:
        return RenderResult(error="it is nested too deeply")
    except (TemplateError, TooMuch) as error:
        return RenderResult(error=_reason(str(error)))
    except Exception as error:  # whatever an expression can raise: TypeError, ZeroDivisionError, ...
        return RenderResult(error=_reason(f"{type(error).__name__}: {error}"))


class TooMuch(Exception):
    """More than `MAX_OUTPUT`."""


class _Environment(ImmutableSandboxedEnvironment):
    """Operators are called when a template runs, not folded into constants while it compiles."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)


def _environment() -> _Environment:
    environment = _Environment(undefined=_Missing, keep_trailing_newline=True, cache_size=0)
    environment.globals.pop("lipsum")
    environment.policies["json.dumps_kwargs"] = {"default": _no_json}
    return environment


def _no_json(value: object) -> NoReturn:
    str(value)  # raises what an undefined value has to say of itself
    raise TypeError(f"a {type(value).__name__} can't be written as JSON")


_ENVIRONMENT = _environment()


@lru_cache(maxsize=32)
def _compiled(source: str) -> Template:
    for node in _ENVIRONMENT.parse(source).find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise TemplateSyntaxError("there are no other templates to include, import or extend", node.lineno)
    return _ENVIRONMENT.from_string(source)


def _render(template: Template, request: _Request) -> str:
    pieces, size = [], 0
    for piece in template.generate(request=request):
        size += len(piece)
        if size > MAX_OUTPUT:
            raise TooMuch(f"it writes more than {MAX_OUTPUT:,} characters")
        pieces.append(piece)
    return printable("".join(pieces))


class _Request(dict[str, Any]):
    """What a template asks of a request is read then, and once."""

    def __init__(self, request: TemplateRequest) -> None:
        super().__init__(method=request.method, path=request.path)
        self._request = request
        self._reading = Reading(request.body, request.headers, most=limits.READ)

    def __missing__(self, name: str) -> Any:
        self[name] = _READ[name](self._request, self._reading)
        return self[name]


def _query(request: TemplateRequest, _: Reading) -> dict[str, str]:
    return _first_of_each(query_pairs(request.query))


def _headers(request: TemplateRequest, _: Reading) -> _Fields:
    headers = _Fields()
    for name, value in request.headers:
        known = headers.get(name)
        headers[name.lower()] = wire(value) if known is None else f"{known}, {wire(value)}"
    return headers


def _json(_: TemplateRequest, reading: Reading) -> Any:
    return None if reading.json is NOTHING else reading.json


def _form(_: TemplateRequest, reading: Reading) -> dict[str, str]:
    return _first_of_each(reading.fields)


def _body(_: TemplateRequest, reading: Reading) -> str:
    return reading.body.decode(errors="replace") if reading.text is None else reading.text.text


_READ: dict[str, Callable[[TemplateRequest, Reading], Any]] = {
    "query": _query,
    "headers": _headers,
    "json": _json,
    "form": _form,
    "body": _body,
}


def _first_of_each(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    return dict(reversed(pairs))


def _reason(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable if len(printable) <= _MAX_REASON else f"{printable[:_MAX_REASON]}…"
