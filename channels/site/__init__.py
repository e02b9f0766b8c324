"""网站: the public site as a channel, reached over the signed content API."""
