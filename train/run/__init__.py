"""The folder of a run: written atomically, resumed after an interruption, found and opened again.

In: a run's name. Out: paths, checkpoints, a :class:`~train.run.finished.FinishedRun`. May import ``model`` and
``data``.
"""
