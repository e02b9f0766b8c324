"""App: cards on the installable app of a public site of ours, by the site's own content API."""
