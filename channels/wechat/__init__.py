"""微信公众号: the connector of one account, its figures, the callbacks it takes in, and the local 演练微信."""
