"""A local server to download from."""

import threading
from functools import partial
from http.server import ThreadingHTTPServer

import pytest

from tests.training.data.site import Handler, Site
from training.data import fetching


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(fetching, "_CHUNK_BYTES", 10)
    state = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, site=state))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
