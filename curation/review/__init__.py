"""What annotators decided: the review log, the state of each sample that follows from it, and the review queue.

In: events and samples. Out: states, queue rows, figures on the review and on agreement. Imports the shared ground only.
"""
