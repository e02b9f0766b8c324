"""渠道限制: what a platform would refuse or spoil, as the channel found it; limits live with the channels."""

from __future__ import annotations

from collections.abc import Iterator

from hub.checks.finding import Context, Finding

RULE = "channel_limits"


def check(text: str, context: Context) -> Iterator[Finding]:
    """One finding per problem of the channel; it concerns a whole field, so it has no place in the text."""
    for problem in context.problems:
        yield Finding(RULE, problem.severity, 0, 0, "", problem.message, field=problem.field or "body")
