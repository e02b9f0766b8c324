"""App 推送 through JPush: the connector and the rehearsal platform that it is tried on."""
