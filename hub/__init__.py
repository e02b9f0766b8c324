"""The hub: what a press office does, from desk to public site; no platform's protocol and no text analysis here."""
