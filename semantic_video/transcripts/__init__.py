"""What was said and what was written: timed lines of a video.

- `subtitles`: subtitle streams inside the film, and `.srt`, `.vtt` and `.ass` files beside it
- `speech`: speech recognition, where the extra ``speech`` and a model are there
- `screen_text`: text in the picture, where the extra ``ocr`` is there
- `passes`: which of these are due for a film, and running them
"""
