"""The staff's pages and API, one file a page; decisions live in the desk."""
