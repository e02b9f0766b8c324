"""CHANNELS: every kind of channel and how an account becomes a Channel; a new one is one room and one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from channels.app import channel as app_channel
from channels.contract import Capabilities, Channel
from channels.exchange import Transport
from channels.metering import Metered, Read, tells_nothing
from channels.push import channel as push_channel
from channels.push import profile as push_profile
from channels.push import wire as push_wire
from channels.site import channel as site_channel
from channels.surroundings import Custody, Meter, Tokened
from channels.wechat import channel as wechat_channel
from channels.wechat import profile as wechat_profile
from channels.wechat import wire as wechat_wire
from channels.weibo import channel as weibo_channel
from channels.weibo import profile as weibo_profile
from channels.weibo import wire as weibo_wire

# What each platform tells of its quotas in its answers.
TELLS: Mapping[str, Read] = {"weibo": weibo_wire.told, "wechat": wechat_wire.told, "push": push_wire.told}
Connect = Callable[[Mapping[str, Any], Mapping[str, Any], Transport, Callable[[], datetime]], Channel]

CHANNELS: Mapping[str, Connect] = {
    "site": site_channel.connect,
    "weibo": weibo_channel.connect,
    "wechat": wechat_channel.connect,
    "app": app_channel.connect,
    "push": push_channel.connect,
}
DECLARED: Mapping[str, Capabilities] = {
    "site": site_channel.CAPABILITIES,
    "weibo": weibo_profile.capabilities(weibo_profile.TIERS["base"]),
    "wechat": wechat_profile.capabilities(wechat_profile.Profile()),
    "app": app_channel.CAPABILITIES,
    "push": push_profile.capabilities(push_profile.Profile()),
}
# Where a platform lives when an account names no address of its own.
ADDRESSES: Mapping[str, Mapping[str, str]] = {
    "weibo": {"base_url": "https://api.weibo.com"},
    "wechat": {"base_url": "https://api.weixin.qq.com"},
    "push": push_profile.ADDRESSES,
}


def connect(
    account: Mapping[str, Any],
    credentials: Mapping[str, Any],
    transport: Transport,
    now: Callable[[], datetime],
    meter: Meter | None = None,
    custody: Custody | None = None,
) -> Channel:
    """The Channel of this account; ValueError (Chinese) when its kind is unknown or its settings are not complete.

    With a meter every call is counted before it leaves; with custody the token is shared by the office's processes.
    """
    channel = _counted(account, credentials, transport, now, meter)
    if custody is not None and isinstance(channel, Tokened):
        channel.entrust(custody)
    return channel


def _counted(
    account: Mapping[str, Any],
    credentials: Mapping[str, Any],
    transport: Transport,
    now: Callable[[], datetime],
    meter: Meter | None,
) -> Channel:
    kind = str(account.get("channel"))
    if kind not in CHANNELS:
        raise ValueError(f"没有名为 {kind} 的渠道")
    if meter is None:
        return CHANNELS[kind](account, credentials, transport, now)
    metered = Metered(transport, meter, now, TELLS.get(kind, tells_nothing))
    channel = CHANNELS[kind](account, credentials, metered, now)
    metered.quotas = channel.capabilities.quotas
    return channel
