"""The public side: website, content API and its own store; nothing of the desk lives here."""
