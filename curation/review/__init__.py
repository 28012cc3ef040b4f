"""What people decided: the review log, its fold into states, the queue that annotators work through.

In: events and samples. Out: states, queue rows, figures. Imports the shared ground alone.
"""
