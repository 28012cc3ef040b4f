"""`python -m tests.curation.importers.scenes`: render the scenes again, after a line of the table was changed."""

from tests.curation.importers.scenes import FOLDER, render

render(FOLDER)
