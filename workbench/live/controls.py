# SPDX-License-Identifier: Apache-2.0
"""What a key does while a device is watched."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.app.tables.decision import ANOMALY_NEVER, NEVER
from codegen.common.protocol import SETTINGS, THRESHOLD
from workbench.live.hearing import VOTES
from workbench.live.monitor import Monitor

GATE, DEVICE_VOTES = "gate.threshold", "decision.votes"
SCORE_STEP = 4  # of the 256 scores
LEGEND = (
    "g G gate   t T score thresholds   v V votes   1-9 it was really this class   0 take back   "
    "l listen   q end"
)
NEXT = "   m next model"
_LIMITS = {setting.key: (setting.least, setting.most) for setting in SETTINGS if not setting.label}


@dataclass(frozen=True)
class Control:
    """send: lines to the device. setting: one of Monitor.settings, and its new value. mark: the class that
    was really heard; take_back: the last such mark goes. host_votes: decisions that vote on this computer
    from now on. next_model: of several the next one is shown; model: the one of this name. end: the session.
    """

    send: tuple[str, ...] = ()
    setting: tuple[str, int] | None = None
    mark: str | None = None
    take_back: bool = False
    host_votes: int | None = None
    next_model: bool = False
    model: str | None = None
    end: bool = False

    def lines(self, monitor: Monitor) -> tuple[str, ...]:
        """What goes to the device."""
        if self.setting is None:
            return self.send
        key, value = self.setting
        return (*self.send, f"set {monitor.key(key)} {value}")


_PLAIN = {
    "q": Control(end=True),
    "l": Control(send=("live",)),
    "m": Control(next_model=True),
    "0": Control(take_back=True),
}


def control(key: str, monitor: Monitor) -> Control:
    """What this key asks for; nothing where it means nothing. Capitals raise, small letters lower."""
    if key in _PLAIN:
        return _PLAIN[key]
    if key.isdecimal():
        number = int(key)
        return Control(mark=monitor.labels[number - 1]) if number <= len(monitor.labels) else Control()
    settings, up = monitor.settings, key.isupper()
    if key in ("v", "V") and DEVICE_VOTES not in settings:
        votes = monitor.view().votes + (1 if up else -1)
        return Control(host_votes=min(max(votes, 1), VOTES))
    return Control(send=_settings(key.lower(), monitor, up))


def _settings(key: str, monitor: Monitor, up: bool) -> tuple[str, ...]:
    settings, sign = monitor.settings, 1 if up else -1
    if key == "g" and GATE in settings:
        now = settings[GATE]
        changed = {GATE: now + sign * max(1, abs(now) // 10)}
    elif key == "v":
        changed = {DEVICE_VOTES: settings[DEVICE_VOTES] + sign}
    elif key == "t":
        changed = {
            name: value + sign * (SCORE_STEP if value <= NEVER else max(1, value // 10))
            for name, value in settings.items()
            if name.startswith(THRESHOLD)
        }
    else:
        return ()
    lines = []
    for name, value in changed.items():
        least, most = _LIMITS[THRESHOLD if name.startswith(THRESHOLD) else name]
        if name.startswith(THRESHOLD) and settings[name] > NEVER:
            most = ANOMALY_NEVER
        limited = min(max(value, least), most)
        if limited != settings[name]:
            lines.append(f"set {monitor.key(name)} {limited}")
    return tuple(lines)
