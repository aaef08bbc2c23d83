"""Token buckets: what they let through, for whom, and how they say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.limits import (
    DEFAULT_LIMITS,
    Limits,
    Operation,
    Quota,
    RateLimiter,
    parse_limits,
    parse_quota,
    write_limits,
)
from api.errors import InvalidField


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_bucket_gives_its_amount_at_once_and_then_evenly() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    quota = Quota(amount=6, window_s=60)
    levels = [limiter.take("a", "reads", quota) for _ in range(7)]
    assert [level.remaining for level in levels] == [5, 4, 3, 2, 1, 0, 0]
    assert [level.wait_s for level in levels] == [0] * 6 + [10]
    clock.now_s = 9.9
    assert limiter.take("a", "reads", quota).wait_s == 1
    clock.now_s = 10.1
    assert limiter.take("a", "reads", quota).wait_s == 0
    clock.now_s = 10_000
    assert limiter.take("a", "reads", quota).remaining == 5, "it holds no more than its amount"


def test_callers_and_classes_have_buckets_of_their_own() -> None:
    limiter = RateLimiter(Clock())
    quota = Quota(amount=1, window_s=60)
    assert limiter.take("a", "reads", quota).wait_s == 0
    assert limiter.take("a", "reads", quota).wait_s > 0
    assert limiter.take("a", "writes", quota).wait_s == 0
    assert limiter.take("b", "reads", quota).wait_s == 0


def test_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    quota = Quota(amount=1, window_s=1)
    limiter.take("a", "reads", quota)
    clock.now_s = -100
    assert limiter.take("a", "reads", quota).wait_s > 0


@given(
    st.integers(1, 50),
    st.sampled_from([1, 60, 3600]),
    st.lists(st.floats(0, 100), min_size=1, max_size=80),
)
def test_never_more_than_the_amount_and_what_flows_in(
    amount: int, window_s: int, pauses: list[float]
) -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    quota = Quota(amount=amount, window_s=window_s)
    let_through = 0
    for pause in pauses:
        clock.now_s += pause
        told = limiter.take("a", "reads", quota)
        let_through += told.wait_s == 0
        assert 0 <= told.remaining <= amount
        assert let_through <= amount + clock.now_s * amount / window_s + 1e-6
        if told.wait_s:
            # Whoever waits as long as told comes in.
            clock.now_s += told.wait_s
            assert limiter.take("a", "reads", quota).wait_s == 0
            let_through += 1


def test_buckets_are_bounded_and_the_oldest_makes_room() -> None:
    limiter = RateLimiter(Clock(), max_buckets=3)
    quota = Quota(amount=1, window_s=60)
    for name in "abc":
        limiter.take(name, "reads", quota)
    assert limiter.take("a", "reads", quota).wait_s > 0, "used again, so b is the oldest"
    limiter.take("d", "reads", quota)
    assert limiter.take("a", "reads", quota).wait_s > 0
    assert limiter.take("b", "reads", quota).wait_s == 0
    (buckets,) = (sample for sample in limiter.samples() if sample.name == "rate_limit_buckets")
    assert buckets.value == 3


def test_allowance_speaks_the_drafts_header_fields() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    quota = Quota(amount=2, window_s=60)
    assert limiter.take("a", "exports", quota).build_headers() == {
        "RateLimit-Policy": '"exports";q=2;w=60',
        "RateLimit": '"exports";r=1;t=30',
    }
    limiter.take("a", "exports", quota)
    assert limiter.take("a", "exports", quota).build_headers()["Retry-After"] == "30"


@pytest.mark.parametrize(
    ("text", "amount", "window_s"),
    [("200/s", 200, 1), ("6000/min", 6000, 60), ("20/h", 20, 3600)],
)
def test_quotas_are_read_as_they_are_written(text: str, amount: int, window_s: int) -> None:
    quota = parse_quota(text, "limits.reads")
    assert quota == Quota(amount=amount, window_s=window_s)
    assert str(quota) == text


@pytest.mark.parametrize(
    "text", ["0/s", "-1/s", "5", "5/d", "1.5/s", " 5/s", "5/s ", 5, None, "٣/s"]
)
def test_what_is_no_quota_is_named(text: object) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_quota(text, "limits.reads")
    assert refused.value.field == "limits.reads"


def test_limits_are_completed_by_the_servers() -> None:
    own = parse_limits({"reads": "5/s"}, "limits")
    assert write_limits(own) == {"reads": "5/s"}
    whole = own.over(DEFAULT_LIMITS)
    assert whole.find(Operation.READS) == Quota(amount=5, window_s=1)
    assert whole.find(Operation.EXPORTS) == DEFAULT_LIMITS.exports
    assert Limits().over(own) == own
    with pytest.raises(InvalidField) as refused:
        parse_limits({"peeks": "5/s"}, "limits")
    assert refused.value.field == "limits.peeks"
