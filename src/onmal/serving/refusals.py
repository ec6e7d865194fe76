"""Why a request is not answered. Each API turns these into its own status and body; the message is for a person."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "BodyLate",
    "KeyMissing",
    "KeyWrong",
    "ModelGone",
    "ModelUnknown",
    "QueueFull",
    "RateExceeded",
    "Refusal",
    "TimeOver",
    "TooLarge",
    "TooManyAtOnce",
]


class Refusal(Exception):
    """Base of them all: `status` is HTTP's, `retry_after` how many seconds to wait (0: it would be refused again)."""

    status = 400

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.message, self.retry_after = message, retry_after


class TooLarge(Refusal):
    """More than a limit allows: `given` of at most `most` of `what`.

    That is "body" [bytes], "text" or "text with must" [characters], or "batch" [texts].

    `given` is the least that it must be where nobody counted to the end.
    """

    status = 413

    def __init__(self, what: str, given: int, most: int) -> None:
        units = {
            "body": "bytes or more",
            "text": "characters",
            "text with must": "characters",
            "batch": "texts",
        }
        super().__init__(f"the {what} has {given:,} {units[what]}, more than the {most:,} allowed here")
        self.what, self.given, self.most = what, given, most


class KeyMissing(Refusal):
    """This server answers only to those who have a key."""

    status = 401

    def __init__(self) -> None:
        super().__init__("a key is needed; send it as Authorization: Bearer KEY")


class KeyWrong(Refusal):
    """A key that was never given out, or was revoked."""

    status = 403

    def __init__(self) -> None:
        super().__init__("this key is not known here, or no longer")


class RateExceeded(Refusal):
    """A client's minute has as many requests, or characters, as it may: `what` and how many (`most`)."""

    status = 429

    def __init__(self, what: str, most: int, retry_after: int) -> None:
        super().__init__(f"more than {most:,} {what} per minute; wait {retry_after} s", retry_after)
        self.what, self.most = what, most


class TooManyAtOnce(Refusal):
    """A client has as many requests under way as it may."""

    status = 429

    def __init__(self, most: int, retry_after: int = 1) -> None:
        super().__init__(
            f"{most:,} requests are under way for you already; wait for one of them", retry_after
        )
        self.most = most


class QueueFull(Refusal):
    """So much is waiting that this request would wait too long."""

    status = 503

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(f"too much is waiting to be translated; try again in {retry_after} s", retry_after)


class TimeOver(Refusal):
    """The translation has taken as long as it may."""

    status = 504

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not translated within {seconds:g} s; send less at once, or try again later", 5)
        self.seconds = seconds


class BodyLate(Refusal):
    """The body has not arrived whole in time."""

    status = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request has not arrived whole within {seconds:g} s")


class ModelGone(Refusal):
    """A model that was to be loaded now is no longer where it was, or damaged; the server's log says more."""

    status = 503

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the model {model} cannot be loaded now; whoever runs this server finds why in its log", 60
        )
        self.model = model


class ModelUnknown(Refusal):
    """No model of this name is served."""

    status = 404

    def __init__(self, model: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no model {model!r} here; there are: {', '.join(known)}")
        self.model = model
