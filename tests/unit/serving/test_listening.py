"""The socket that the server listens at."""

from __future__ import annotations

import socket

from onmal.serving.server import _listening


def test_an_answer_in_two_parts_does_not_wait_between_them() -> None:
    with _listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
