"""An error as Starlette's response."""

from __future__ import annotations

from starlette.responses import Response

from hookbin.errors import HookbinError
from hookbin.problems import problem_answer


def problem_response(error: HookbinError) -> Response:
    answer = problem_answer(error)
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers = answer.headers
    return response
