"""How the built-in image-text model was made: the commands are in ``docs/model-card.md``."""
