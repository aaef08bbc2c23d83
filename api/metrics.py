"""Counting requests, and writing samples in Prometheus' text format (version 0.0.4).

Labels hold only the surface and the status class: a path could carry an identifier.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from api.ports import Metric

PROMETHEUS_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

PREFIX: Final = "atesta_"
"""Starts every metric's name."""


class HttpCounters:
    """How many requests each surface answered, and how long they took in sum."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, float] = {}

    def count(self, surface: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        self._requests[surface, f"{status // 100}xx"] += 1
        self._seconds[surface] = self._seconds.get(surface, 0.0) + duration_s

    def samples(self) -> tuple[Metric, ...]:
        """Return the counters as samples."""
        requests = (
            Metric(
                name="http_requests_total",
                kind="counter",
                help="Answered HTTP requests.",
                value=count,
                labels=(("surface", surface), ("status", status)),
            )
            for (surface, status), count in sorted(self._requests.items())
        )
        seconds = (
            Metric(
                name="http_request_seconds_total",
                kind="counter",
                help="Time spent answering HTTP requests.",
                value=value,
                labels=(("surface", surface),),
            )
            for surface, value in sorted(self._seconds.items())
        )
        return (*requests, *seconds)


def render_prometheus(metrics: Iterable[Metric]) -> str:
    """Return samples as text, one family after the other, each with its HELP and TYPE once."""
    families: dict[str, list[Metric]] = {}
    for metric in metrics:
        families.setdefault(metric.name, []).append(metric)
    lines: list[str] = []
    for name, samples in families.items():
        lines.append(f"# HELP {PREFIX}{name} {_escape(samples[0].help)}")
        lines.append(f"# TYPE {PREFIX}{name} {samples[0].kind}")
        lines.extend(f"{PREFIX}{name}{_labels(sample)} {sample.value:.17g}" for sample in samples)
    return "\n".join(lines) + "\n"


def _labels(sample: Metric) -> str:
    if not sample.labels:
        return ""
    pairs = ",".join(f'{key}="{_escape(value, quote=True)}"' for key, value in sample.labels)
    return "{" + pairs + "}"


def _escape(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text
