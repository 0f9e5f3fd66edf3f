# SPDX-License-Identifier: Apache-2.0
"""Which numbered lines may go out, and which again: the host's half of the rules in docs/protocol.md."""

from __future__ import annotations


class Window:
    """Lines 0..count-1 on their way to an image. Nothing is sent here.

    A line that is refused is acknowledged with its own number, and so is every line after it. A question
    (`status`) is answered after all that was sent before it: what is not acknowledged then was lost, if
    nothing was sent after the question. An answer may be so late that another question was asked meanwhile;
    answers come in order, so the oldest question is the answered one.
    """

    def __init__(self, count: int, ahead: int) -> None:
        """ahead: lines that may be on their way, refused ones too, at least 1."""
        self.count = count
        self.ahead = ahead
        self.taken = 0  # lines the image has
        self.owed = 0  # questions without an answer
        self._sent = 0
        self._stale = 0  # lines after a refused one, whose acks say nothing new
        self._asking = 0  # questions since the last line, of those owed

    @property
    def done(self) -> bool:
        """The image has every line."""
        return self.taken == self.count

    def due(self) -> range:
        """Lines to send now; they count as sent. Many at once: fewer turns between the image and us."""
        if self._sent - self.taken > self.ahead // 2:
            return range(0)
        room = max(1, self.ahead - self._stale)  # the refused ones still lie in the image's ring
        lines = range(self._sent, min(self.count, self.taken + room))
        if lines:
            self._sent, self._asking = lines.stop, 0
        return lines

    def ack(self, number: int, *, refused: bool = True) -> bool:
        """The image expects line `number`; whether that is progress.

        refused: the line it answers was damaged, or came too early. False: it was taken, or came twice. One
        that comes twice says nothing of those after it; to send them for it would bring more such acks.
        """
        if self.taken < number <= self.count:
            self.taken, self._sent, self._stale = number, max(self._sent, number), 0
            return True
        if refused and number == self.taken < self._sent:
            if self._stale:
                self._stale -= 1
            else:
                self._stale, self._sent = self._sent - self.taken - 1, self.taken
        return False

    def ask(self) -> None:
        """A question was sent."""
        self.owed += 1
        self._asking += 1

    def answer(self) -> None:
        """A question was answered: the oldest. One that was lost makes this too careful, until the next."""
        if 0 < self.owed == self._asking:
            self._stale, self._sent, self._asking = 0, self.taken, 0
        self.owed = max(0, self.owed - 1)
