"""Functions of hsiaug that are called in a process which imports third-party plugins. What such a
process returns is JSON, and is checked: nothing of it is unpickled.
"""

from collections.abc import Callable
from multiprocessing.connection import Connection

from hsiaug.registry.isolation.messages import AnyMessage, Failure, as_json, read_answer
from hsiaug.registry.isolation.processes import Channel, Child

NOTICE_AFTER = 3.0
"""Seconds after which the user is told what is waited for."""
MAX_ANSWER_BYTES = 2**31
"""Bytes of an answer: the masks of a draw."""


class NoAnswer(Exception):
    """Why a process gave no answer."""


class PluginProcess:
    """A process that imports third-party plugins.

    Parameters
    ----------
    package : str
        The package, or the plugin, as errors call it.
    begin : callable
        What the process does first.
    """

    def __init__(self, package: str, begin: Callable[[], None]) -> None:
        self._package = package
        self._child = Child(_answer_calls, begin)
        self.end = self._child.end

    def call(
        self,
        model: type[AnyMessage],
        function: Callable[..., object],
        *arguments: object,
        within: float | None = None,
        notice: Callable[[], object] | None = None,
    ) -> AnyMessage:
        """What a function returns there.

        Parameters
        ----------
        model : type of message
            What the function states.
        function : callable
            Of a module, under whose name the process has it.
        within : float or None
            Seconds in which it must return, no fewer than until ``notice``; None = any.
        notice : callable or None
            Called where that takes longer than a few seconds.

        Raises
        ------
        NoAnswer
            Where the process ends, or is too late.
        HsiaugError
            As the function raised it; PluginError for any other exception, and for an answer that
            is no such message.
        """
        connection = self._child.connection
        try:
            connection.send((function, arguments))
            remaining = within
            if notice is not None and not connection.poll(NOTICE_AFTER):
                notice()
                remaining = None if within is None else max(0.0, within - NOTICE_AFTER)
            if remaining is not None and not connection.poll(remaining):
                raise NoAnswer(f"no answer within {within:g} s")
            answer = connection.recv_bytes(MAX_ANSWER_BYTES)
        except (EOFError, OSError):
            self._child.process.join(5)
            raise NoAnswer(f"its process ended with {self._child.ending}") from None
        return read_answer(model, answer, self._package)


def _answer_calls(connection: Connection, begin: Callable[[], None]) -> None:
    """Call functions until the other end of the connection is closed."""
    begin()
    channel = Channel(connection)
    while True:
        function, arguments = channel.receive()
        try:
            answer = as_json(function(*arguments))
        except BaseException as error:
            answer = as_json(Failure.stated(error))
        channel.send(answer)
