"""微博: the connector of one account, its figures, and the local 演练微博."""
