"""Notices to the office's own people by ways other than the bell; whom to tell and when is the hub's business."""
