"""The commands of the command line, one file each; what they do lives in the rooms they call."""
