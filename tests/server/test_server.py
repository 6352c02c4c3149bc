"""The real server on loopback: what it refuses, and what its answers do not tell."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlparse

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.browser.conftest import serve_app
from tests.server.session import TIMEOUT_S, open_session, run_page

STRANGER = "https://stranger.example"
CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
BOUNDARY = "part"
UPLOAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\nx\r\n--{BOUNDARY}--\r\n'


@dataclass(frozen=True)
class Visitor:
    """Somebody whose page is open: cookie and session."""

    url: str
    token: str
    session: str

    def upload(self, headers: dict[str, str], body: bytes = UPLOAD.encode(), session: str = "") -> int:
        """Status of an upload; with headers of our own instead of the page's."""
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        path = f"/_stcore/upload_file/{session or self.session}/0"
        return ask(self.url, path, "PUT", kind | headers, body)[0]

    @property
    def signed(self) -> dict[str, str]:
        return {"Cookie": f"_streamlit_xsrf={self.token}", "X-Xsrftoken": self.token}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_app(tmp_path_factory.mktemp("app") / "server.log") as url:
        yield url


@pytest.fixture(scope="module")
def visitor(url: str) -> Iterator[Visitor]:
    cookie = ask(url, "/_stcore/health")[1]["Set-Cookie"]
    token = re.search(r"_streamlit_xsrf=([^;]+)", cookie).group(1)
    with open_session(url, url) as socket:
        answer = run_page(socket, until="new_session")
        yield Visitor(url, token, answer.new_session.initialize.session_id)


def ask(url: str, path: str, method: str = "GET", headers=None, body=None) -> tuple[int, HTTPMessage, str]:
    """Status, headers and text of an answer; the path goes out as it is, dots and all."""
    connection = HTTPConnection(urlparse(url).netloc, timeout=TIMEOUT_S)
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode(errors="replace")


def test_an_upload_of_the_page_itself_is_taken(visitor):
    assert visitor.upload(visitor.signed) == 204


@pytest.mark.parametrize("name", ["Cookie", "X-Xsrftoken"])
def test_an_upload_without_the_pages_token_is_refused(visitor, name):
    headers = visitor.signed
    del headers[name]
    assert visitor.upload(headers) == 403


def test_an_upload_with_a_made_up_token_is_refused(visitor):
    assert visitor.upload(visitor.signed | {"X-Xsrftoken": "2|00000000|00000000|0"}) == 403


def test_an_upload_into_a_session_that_is_not_there_is_refused(visitor):
    assert visitor.upload(visitor.signed, session="somebody-else") == 400


def test_an_upload_over_the_limit_is_refused_before_it_is_read(visitor):
    limit = tomllib.loads(CONFIG.read_text())["server"]["maxUploadSize"] * 1024**2
    assert visitor.upload(visitor.signed | {"Content-Length": str(limit + 1)}) == 413


def test_another_sites_page_cannot_open_a_session(url):
    with pytest.raises(InvalidStatus) as refused, open_session(url, STRANGER):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_answer_may_be_read_by_another_sites_page(url, path, method):
    _, headers, _ = ask(url, path, method, {"Origin": STRANGER})
    assert headers.get("Access-Control-Allow-Origin", "") not in ("*", STRANGER)


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/media/../../../../../etc/passwd",
        "/media/%2fetc%2fpasswd",
        "/app/static/../../etc/passwd",
        "/app/static/README.md",
        "/_stcore/component/../../../../etc/passwd",
        "//etc/passwd",
        "/.streamlit/config.toml",
        "/http://127.0.0.1:1/",
    ],
)
def test_no_path_in_an_address_reaches_a_file(url, path):
    _, _, text = ask(url, path)
    assert "root:" not in text and "maxUploadSize" not in text and "Dermalens inspects" not in text


def test_a_damaged_message_ends_the_session_without_a_traceback(url):
    with open_session(url, url) as socket, pytest.raises(ConnectionClosedError) as closed:
        socket.send(b"\xff\xff no message")
        while True:
            assert b"Traceback" not in socket.recv(TIMEOUT_S)
    assert closed.value.rcvd.code == 1002 and "Traceback" not in closed.value.rcvd.reason


def test_visitors_see_no_details_of_errors():
    assert tomllib.loads(CONFIG.read_text())["client"]["showErrorDetails"] == "none"
