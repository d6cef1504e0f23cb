"""Silences: matchers that keep alerts quiet for a while."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.standins.grafana.labels import Labels
from stack.standins.grafana.notify.routes import Matcher
from stack.standins.grafana.times import parse_rfc3339, rfc3339_ms

KEPT_S = 5 * 86400.0


class BadSilence(ValueError):
    """A silence that cannot be made; the text is Grafana's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One silence; times in epoch seconds."""

    id: str
    matchers: Sequence[Matcher]
    starts_s: float
    ends_s: float
    updated_s: float
    author: str
    comment: str

    def state(self, now_s: float) -> str:
        """
        `pending`, `active` or `expired`.
        """
        return "expired" if self.ends_s <= now_s else "active" if self.starts_s <= now_s else "pending"

    def mutes(self, labels: Labels, now_s: float) -> bool:
        """
        Whether an alert with these labels is silenced now.
        """
        return self.state(now_s) == "active" and all(matcher.matches(labels) for matcher in self.matchers)

    def json(self, now_s: float) -> dict[str, object]:
        """
        The silence as the Alertmanager API shows it.
        """
        return {
            "id": self.id,
            "status": {"state": self.state(now_s)},
            "updatedAt": rfc3339_ms(self.updated_s),
            "comment": self.comment,
            "createdBy": self.author,
            "endsAt": rfc3339_ms(self.ends_s),
            "matchers": [_matcher_json(matcher) for matcher in self.matchers],
            "startsAt": rfc3339_ms(self.starts_s),
        }


class Silences:
    """All silences by id; expired ones are shown for five days."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}

    def set(self, body: Mapping[str, object], now_s: float) -> Silence:
        """
        Make a silence, or change the one whose id the body has; BadSilence for a body that Grafana refuses.
        """
        silence = read_silence(body, now_s)
        known = self._silences.get(silence.id)
        if silence.id and known is None:
            raise BadSilence("silence not found: unable to create silence")
        if silence.ends_s <= now_s:
            raise BadSilence("end time can't be in the past: unable to create silence")
        if known is not None and known.state(now_s) == "active" and known.matchers == silence.matchers:
            silence = replace(silence, starts_s=known.starts_s)
        else:
            if known is not None:
                self.expire(known.id, now_s)
            silence = replace(silence, id=str(uuid.uuid4()), starts_s=max(silence.starts_s, now_s))
        self._silences[silence.id] = silence
        return silence

    def expire(self, mark: str, now_s: float) -> bool:
        """
        End a silence now; False when there is none of this id.
        """
        silence = self._silences.get(mark)
        if silence is None:
            return False
        if silence.state(now_s) != "expired":
            self._silences[mark] = replace(silence, ends_s=now_s, updated_s=now_s)
        return True

    def get(self, mark: str) -> Silence | None:
        """
        The silence of an id.
        """
        return self._silences.get(mark)

    def muting(self, labels: Labels, now_s: float) -> Sequence[str]:
        """
        The ids of the silences that hold for an alert.
        """
        return sorted(silence.id for silence in self._silences.values() if silence.mutes(labels, now_s))

    def restore(self, silences: Sequence[Silence]) -> None:
        """
        Take back the silences of an earlier run.
        """
        self._silences.update({silence.id: silence for silence in silences})

    def __iter__(self) -> Iterator[Silence]:
        return iter(sorted(self._silences.values(), key=lambda silence: (-silence.ends_s, silence.id)))

    def forget(self, now_s: float) -> None:
        """
        Drop what expired long ago.
        """
        for mark in [mark for mark, silence in self._silences.items() if silence.ends_s + KEPT_S < now_s]:
            del self._silences[mark]


def read_silence(body: Mapping[str, object], now_s: float) -> Silence:
    """
    A silence from its JSON; BadSilence in Grafana's words.
    """
    rows = body.get("matchers")
    problems = []
    if not isinstance(rows, list) or not rows:
        problems.append("matchers in body should have at least 1 items")
    times = {}
    for key in ("startsAt", "endsAt"):
        try:
            times[key] = parse_rfc3339(str(body.get(key)))
        except ValueError:
            problems.append(f"{key} in body is required")
    problems += [f"{key} in body is required" for key in ("comment", "createdBy") if body.get(key) is None]
    if problems:
        lines = "\n".join(["validation failure list:", "validation failure list:", *problems])
        raise BadSilence(f"silence failed validation: {lines}")
    assert isinstance(rows, list)
    return Silence(
        id=str(body.get("id") or ""),
        matchers=[_matcher(row) for row in rows],
        starts_s=times["startsAt"],
        ends_s=times["endsAt"],
        updated_s=now_s,
        author=str(body["createdBy"]),
        comment=str(body["comment"]),
    )


def _matcher(row: object) -> Matcher:
    if not isinstance(row, Mapping) or not row.get("name"):
        raise BadSilence("silence invalid: invalid label matcher 0: invalid label name: unable to create silence")
    equal, regex = row.get("isEqual", True), row.get("isRegex", False)
    operator = ("=" if equal else "!") + ("~" if regex else "" if equal else "=")
    try:
        return Matcher(name=str(row["name"]), operator=operator, value=str(row.get("value", "")))
    except ValueError as error:
        raise BadSilence(f"silence invalid: {error}: unable to create silence") from error


def _matcher_json(matcher: Matcher) -> dict[str, object]:
    return {
        "isEqual": not matcher.operator.startswith("!"),
        "isRegex": "~" in matcher.operator,
        "name": matcher.name,
        "value": matcher.value,
    }
