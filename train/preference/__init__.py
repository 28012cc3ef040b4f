"""Learning from what people preferred: pairs of replies, and single replies that were wanted or not.

In: an export's preferences and labels, and a finished run. Out: an adapter that continues the run's. May import
``data``, ``model``, ``loop``, ``evaluation`` and ``run``.
"""
