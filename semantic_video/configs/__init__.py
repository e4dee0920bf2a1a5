"""The defaults of every option, as data."""
