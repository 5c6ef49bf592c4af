"""The control API over HTTP: one connection for each request, so that no idle one is closed under a test."""

import http.client
import json
import urllib.parse

# longer than the longest wait that the control API accepts
TIMEOUT = 90


class ControlError(Exception):
    """A request that the gateway refused, with the control API's own code, message and status."""

    def __init__(self, request, status, code, message):
        super().__init__(f"{message} ({code}, {request})")
        self.status = status
        self.code = code
        self.message = message


class Control:
    """A client of the control API."""

    def __init__(self, url, token=None):
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        self.host, self.port = parts.hostname, parts.port or 80
        # as it is written in URLs, IPv6 addresses in brackets
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.token = token

    def call(self, method, path, body=None):
        """Sends a request: texts and bytes as JSON Lines, everything else as JSON. Returns the body, parsed if it is JSON."""
        is_text = isinstance(body, (str, bytes))
        sent = body.encode() if isinstance(body, str) else body if is_text or body is None else json.dumps(body).encode()
        headers = {"connection": "close"}
        if sent is not None:
            headers["content-type"] = "application/jsonl" if is_text else "application/json"
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            text = response.read().decode()
        except OSError as error:
            raise ConnectionError(f"the control API at {self.url} does not answer: {error}") from error
        finally:
            connection.close()
        if not 200 <= response.status <= 299:
            code, message = _error_of(text)
            raise ControlError(f"{method} {path}", response.status, code, message)
        if not text:
            return None
        return json.loads(text) if response.headers.get_content_type() == "application/json" else text


def _error_of(text):
    """The error in a refusal; an answer of something else than a control API is shown as it is."""
    try:
        error = json.loads(text)["error"]
        return error["code"], error["message"]
    except (ValueError, KeyError, TypeError):
        return "not_a_control_api", text[:200] or "an empty answer"


def path(*parts):
    """A path with its parts encoded."""
    return "/v1/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)


def given(**values):
    """The values that are not None."""
    return {key: value for key, value in values.items() if value is not None}
