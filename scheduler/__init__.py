"""The clockwork: when the hub's duties run and in which process; what they do lives in hub.desk."""
