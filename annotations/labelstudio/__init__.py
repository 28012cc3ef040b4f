"""Label Studio, two ways: the queue goes there as tasks, verdicts come back as events of the review store.

The server keeps no state of ours and we keep none of its: a task carries its sample's id and revision, an event's id
names the annotation that it came from. Every command compares the two sides and moves what differs, so it can be
broken off anywhere and run again.

``connection`` finds the server and says its errors in words · ``interface`` is the labeling page · ``tasks`` turns
queue items into tasks and reads them back · ``project`` · ``push`` · ``results`` reads one annotation, ``ledger`` says
which events that makes, ``pull`` writes them · ``status`` · ``watch``
"""
