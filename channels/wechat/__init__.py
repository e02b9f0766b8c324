"""微信公众号: the rehearsal platform (`rehearsal*.py`); a connector beside it shares no line with it."""
