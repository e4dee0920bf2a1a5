"""Ways to ask: a phrase, a picture, a moment, any sum of them, marks, and where to look.

- `request`: what is asked for
- `composition`: the vector of a sum of parts and marks
- `filters`: where to look, film by film
- `spread`: moments far apart
- `asker`: a request put to the memories of some films
"""

from semantic_video.asking.asker import Asker, Film, StoredFilm
from semantic_video.asking.filters import Filters, moment_of_time
from semantic_video.asking.request import Part, Request, part_of

__all__ = ["Asker", "Film", "Filters", "Part", "Request", "StoredFilm", "moment_of_time", "part_of"]
