"""Where documents are kept: one protocol, several stores; no rule of the office lives here."""
