"""JSON-RPC 2.0, one message a line, as the suite speaks it.

Knows nothing of Kith. A method is a function from its parameters to its result;
it raises one of the failures below if it has none.
"""

import json
import sys
import traceback

MAX_LINE = 48 * 1024 * 1024


class Failure(Exception):
    """An answer that is no result."""

    code = -32603  # something broke in here

    def error(self):
        return {"code": self.code, "message": str(self)}


class NotJson(Failure):
    code = -32700


class InvalidRequest(Failure):
    code = -32600


class InvalidParams(Failure):
    code = -32602


class Refused(Failure):
    """The user can't do that."""

    code = 1


class ServerProblem(Failure):
    """A mail server can't be reached or said no."""

    code = 2


class Unsupported(Failure):
    """There is no such method, action, view or option."""

    code = -32601

    def __init__(self, name):
        super().__init__(f"unsupported: {name}")
        self.name = name

    def error(self):
        return {**super().error(), "data": {"unsupported": self.name}}


def need(params, name, kind):
    """The parameter of that name, which must be of that type."""
    value = params.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidParams(f"{name!r} must be given, as {kind.__name__}")
    return value


def serve(reader, writer, methods):
    """Answers every line, until `bye` or the end of the input."""
    while line := reader.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            sys.exit(f"a line of more than {MAX_LINE} octets")
        if line.isspace():
            continue
        request = {}
        try:
            request = read(line)
            if "id" not in request:
                continue  # a notification: no answer
            answer = {"result": call(methods, request)}
        except Failure as failure:
            answer = {"error": failure.error()}
        except Exception as error:  # the loop must survive whatever breaks
            traceback.print_exc()  # to standard error
            answer = {"error": Failure(f"{type(error).__name__}: {error}").error()}
        answer = {"jsonrpc": "2.0", "id": request.get("id"), **answer}
        writer.write(json.dumps(answer).encode() + b"\n")
        writer.flush()
        if request.get("method") == "bye" and "result" in answer:
            return


def read(line):
    """A line as a request, which may still be wrong."""
    try:
        request = json.loads(line)
    except ValueError as error:
        raise NotJson(f"not JSON: {error}") from None
    if not isinstance(request, dict):
        raise InvalidRequest("a request is a JSON object")
    return request


def call(methods, request):
    if request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        raise InvalidRequest("not a JSON-RPC 2.0 request")
    params = request.get("params", {})
    if not isinstance(params, dict):
        raise InvalidRequest("`params` must be an object")
    method = methods.get(request["method"])
    if method is None:
        raise Unsupported(request["method"])
    return method(params)
