"""A visitor's session without a browser: the messages that Streamlit's page and server exchange."""

import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

TIMEOUT_S = 60


def open_session(url: str, origin: str) -> ClientConnection:
    """A session of the server at `url`, opened by a page of `origin`."""
    address = f"{url.replace('http', 'ws')}/_stcore/stream"
    return connect(address, origin=origin, subprotocols=["streamlit"], max_size=None, open_timeout=TIMEOUT_S)


def run_page(socket: ClientConnection, page: str = "", until: str = "script_finished") -> ForwardMsg:
    """Ask for a page and read until a message of the kind `until`, which is returned."""
    message = BackMsg()
    message.rerun_script.query_string, message.rerun_script.page_name = "", page
    socket.send(message.SerializeToString())
    while True:
        answer = ForwardMsg.FromString(socket.recv(TIMEOUT_S))
        if answer.WhichOneof("type") == until:
            return answer


def time_page(url: str, page: str) -> float:
    """Seconds until the server has sent a new visitor the whole page; a browser's own work is left out."""
    started = time.perf_counter()
    with open_session(url, url) as socket:
        run_page(socket, page)
    return time.perf_counter() - started
