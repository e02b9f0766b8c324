"""The channels: one folder per platform, each speaking its protocol; nothing of the office's work lives here."""
