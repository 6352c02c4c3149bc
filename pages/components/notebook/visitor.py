"""Who is on the page: the user who signed in, else the browser, which keeps a random key in a cookie.

Nobody guesses a key, so on a server where people do not sign in each sees what was written in the same browser.
"""

import re
import secrets
from pathlib import Path

import streamlit as st

_COOKIE = "dermalens_visitor"
_KEY = "visitor_key"
_FORM = re.compile(r"[0-9a-f]{32}")
_mount = st.components.v2.component(
    "dermalens_visitor", html="", js=(Path(__file__).parent / "visitor.js").read_text()
)


def current_user() -> str:
    """E-mail of the user who is signed in, else the identity provider's name for them; "" without sign-in."""
    if not getattr(st.user, "is_logged_in", False):
        return ""
    return str(st.user.get("email") or st.user.get("sub") or "")


def current_owner() -> str:
    """Whom tags, notes and views written now belong to."""
    user = current_user()
    return f"user:{user}" if user else f"browser:{_read_key()}"


def remember() -> None:
    """Let the browser keep its key for the next visit; draws nothing that is seen."""
    if not current_user():
        data = {"name": _COOKIE, "key": _read_key()}
        _mount(data=data, key=f"{_KEY}_cookie", height=1, on_key_change=_take_key)


def _read_key() -> str:
    if _KEY not in st.session_state:
        sent = str(st.context.cookies.get(_COOKIE, ""))
        st.session_state[_KEY] = sent if _FORM.fullmatch(sent) else secrets.token_hex(16)
    return st.session_state[_KEY]


def _take_key() -> None:
    key = str(st.session_state[f"{_KEY}_cookie"].key)
    if _FORM.fullmatch(key):
        st.session_state[_KEY] = key
