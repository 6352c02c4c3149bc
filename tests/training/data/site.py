"""A web server on this machine that breaks, lies and refuses on demand."""

import contextlib
import io
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler


@dataclass
class Site:
    """What the server has and how it behaves; `requests` are (method, path, Range) as they came."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    break_after_bytes: int | None = None
    breaks: int = 0
    ranges: bool = True
    status: int = 200
    pause_s: float = 0  # between thousands of bytes
    redirects: dict[str, str] = field(default_factory=dict)

    def gets(self, path: str) -> list[str | None]:
        """The Range headers of the downloads of one file, in order."""
        return [wanted for method, asked, wanted in self.requests if (method, asked) == ("GET", path)]


class Handler(BaseHTTPRequestHandler):
    def __init__(self, *arguments, site: Site):
        self.site = site
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(b"")

    def do_GET(self):
        body = self.site.files.get(self.path, b"")
        if self.site.breaks > 0:
            self.site.breaks -= 1
            return self._answer(body, cut=self.site.break_after_bytes)
        return self._answer(body)

    def _answer(self, body: bytes, cut: int | None = None):
        wanted = self.headers.get("Range")
        self.site.requests.append((self.command, self.path, wanted))
        if self.path in self.site.redirects:
            return self._head(302, 0, location=self.site.redirects[self.path])
        whole = self.site.files.get(self.path)
        if self.site.status != 200 or whole is None:
            return self._head(self.site.status if self.site.status != 200 else 404, 0)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.site.ranges else 0
        if start >= len(whole) > 0:
            return self._head(416, 0, f"bytes */{len(whole)}")
        rest = f"bytes {start}-{len(whole) - 1}/{len(whole)}" if start else None
        self._head(206 if start else 200, len(whole) - start, rest)
        body = body[start:]
        self._send(body if cut is None else body[:cut])
        return None

    def _send(self, body: bytes):
        if not self.site.pause_s:
            self.wfile.write(body)
            return
        with contextlib.suppress(ConnectionError):  # whoever asked may leave
            for start in range(0, len(body), 1000):
                self.wfile.write(body[start : start + 1000])
                threading.Event().wait(self.site.pause_s)  # `time.sleep` is short-circuited by the fixture

    def _head(self, status: int, length: int, content_range: str | None = None, location: str = ""):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(length))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()


def make_zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()
