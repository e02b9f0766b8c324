"""The text checks, one file a rule; what is done about a finding lives in the desk."""
