"""How the built-in image-text model was made: one resumable command, ``training.train_lite``."""
